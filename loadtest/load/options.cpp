#include "loadtest/load/options.h"

#include <array>
#include <utility>

namespace sim::load {
namespace {

constexpr std::array<std::pair<Scenario, std::string_view>, 6> names{{{Scenario::talk, "talk"},
                                                                      {Scenario::turns, "turns"},
                                                                      {Scenario::barge_in, "barge_in"},
                                                                      {Scenario::hangup_storm, "hangup_storm"},
                                                                      {Scenario::slow_agent, "slow_agent"},
                                                                      {Scenario::churn, "churn"}}};

}  // namespace

std::string_view to_string(Scenario scenario) {
  for (auto const& [value, name] : names)
    if (value == scenario) return name;
  return {};
}

std::optional<Scenario> scenario_from(std::string_view text) {
  for (auto const& [value, name] : names)
    if (name == text) return value;
  return std::nullopt;
}

}  // namespace sim::load
