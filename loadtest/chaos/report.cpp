#include "loadtest/chaos/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sim::chaos {
namespace {

constexpr std::string_view line_format = "{:>5}  {:<32} {:>6} {:>6} {:>8} {:>8} {:>12}\n";

std::string names_of(std::vector<FaultKind> const& faults) {
  std::string names;
  for (auto const fault : faults) names += (names.empty() ? "" : "+") + std::string{to_string(fault)};
  return names.empty() ? "-" : names;
}

std::string_view to_string(Finding::Kind kind) {
  return kind == Finding::Kind::lost ? "lost" : "doubled";
}

std::int64_t sum(RunReport const& report, std::int64_t CycleReport::* part) {
  std::int64_t all = 0;
  for (auto const& cycle : report.cycles) all += cycle.*part;
  return all;
}

std::int64_t count(RunReport const& report, Finding::Kind kind) {
  return std::ranges::count(report.findings, kind, &Finding::kind);
}

std::string line_of(std::string_view of, Delays const& delays) {
  auto const& [outcome, told, texted, never_seen] = delays;
  if (outcome.count == 0) return {};
  auto text = fmt::format("{}: outcome after hang-up p50 {} ms, p99 {} ms, most {} ms ({} calls)", of, outcome.p50_ms,
                          outcome.p99_ms, outcome.most_ms, outcome.count);
  auto const add = [&](std::string_view what, Delay const& delay) {
    if (delay.count == 0) return;
    text += fmt::format("; {} p50 {} ms, p95 {} ms, most {} ms", what, delay.p50_ms, delay.p95_ms, delay.most_ms);
  };
  add("receiver told after", told);
  add("text message after booking", texted);
  if (never_seen > 0) text += fmt::format("; {} outcomes were not seen to appear", never_seen);
  return text + "\n";
}

nlohmann::ordered_json json_of(Delay const& delay) {
  return {{"count", delay.count},
          {"p50_ms", delay.p50_ms},
          {"p95_ms", delay.p95_ms},
          {"p99_ms", delay.p99_ms},
          {"most_ms", delay.most_ms}};
}

nlohmann::ordered_json json_of(Delays const& delays) {
  return {{"outcome", json_of(delays.outcome)},
          {"told", json_of(delays.told)},
          {"texted", json_of(delays.texted)},
          {"never_seen", delays.never_seen}};
}

}  // namespace

std::string table_head() {
  return fmt::format(fmt::runtime(line_format), "cycle", "faults", "calls", "lost", "doubled", "repeats",
                     "recovery ms");
}

std::string table_row(CycleReport const& cycle) {
  auto const recovery = cycle.recovery_ms ? std::to_string(*cycle.recovery_ms) : std::string{"never"};
  return fmt::format(fmt::runtime(line_format), cycle.cycle, names_of(cycle.faults), cycle.calls, cycle.lost,
                     cycle.doubled, cycle.repeats, recovery);
}

std::string summary(RunReport const& report) {
  std::int64_t slowest = 0;
  for (auto const& cycle : report.cycles) slowest = std::max(slowest, cycle.recovery_ms.value_or(0));
  std::string text;
  for (auto const& finding : report.findings) text += fmt::format("{}: {}\n", to_string(finding.kind), finding.what);
  for (auto const& problem : report.problems) text += fmt::format("problem: {}\n", problem);
  text += line_of("undisturbed", report.delays.undisturbed);
  text += line_of("disturbed", report.delays.disturbed);
  text += fmt::format(
      "{} calls, at most {} at once, in {} cycles: {} lost, {} doubled; {} appointments, {} deliveries ({} repeated), "
      "{} text messages; "
      "slowest recovery {} ms; seed {}, {:.0f} s\n",
      sum(report, &CycleReport::calls), report.most_at_once, report.cycles.size(), count(report, Finding::Kind::lost),
      count(report, Finding::Kind::doubled), report.booked, report.delivered, sum(report, &CycleReport::repeats),
      report.texts, slowest, report.seed, report.seconds);
  return text;
}

std::string to_json(RunReport const& report) {
  using Json = nlohmann::ordered_json;
  auto cycles = Json::array();
  for (auto const& cycle : report.cycles) {
    auto faults = Json::array();
    for (auto const fault : cycle.faults) faults.push_back(sim::chaos::to_string(fault));
    cycles.push_back({{"cycle", cycle.cycle},
                      {"faults", faults},
                      {"calls", cycle.calls},
                      {"lost", cycle.lost},
                      {"doubled", cycle.doubled},
                      {"repeats", cycle.repeats},
                      {"recovery_ms", cycle.recovery_ms ? Json(*cycle.recovery_ms) : Json(nullptr)}});
  }
  auto findings = Json::array();
  for (auto const& finding : report.findings)
    findings.push_back({{"kind", to_string(finding.kind)}, {"cycle", finding.cycle}, {"what", finding.what}});
  Json const json{{"seed", report.seed},
                  {"calls", sum(report, &CycleReport::calls)},
                  {"lost", count(report, Finding::Kind::lost)},
                  {"doubled", count(report, Finding::Kind::doubled)},
                  {"repeats", sum(report, &CycleReport::repeats)},
                  {"appointments", report.booked},
                  {"deliveries", report.delivered},
                  {"text_messages", report.texts},
                  {"integrations", report.promises.integrations},
                  {"most_at_once", report.most_at_once},
                  {"undisturbed", json_of(report.delays.undisturbed)},
                  {"disturbed", json_of(report.delays.disturbed)},
                  {"seconds", report.seconds},
                  {"findings", findings},
                  {"problems", report.problems},
                  {"cycles", cycles}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sim::chaos
