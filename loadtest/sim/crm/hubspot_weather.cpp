#include "loadtest/sim/crm/hubspot_weather.h"

#include <memory>
#include <random>

namespace sim::crm {
namespace {

/// Nothing here calls for a person: a client that tries again gets through.
HubSpotFault any_fault(std::mt19937& dice) {
  using Kind = HubSpotFault::Kind;
  switch (dice() % 9) {
    case 0:
      return {.kind = Kind::cut_before};
    case 1:
      return {.status = 429};
    case 2:
      return {.status = 423};
    case 3:
      return {.status = 503};
    case 4:
      return {.status = 500};
    case 5:
      return {.kind = Kind::truncated};
    case 6:
      return {.kind = Kind::html};
    case 7:  // not a byte of the answer: the hardest to tell from a request that never arrived
      return {.kind = Kind::cut_after};
    default:
      return {.kind = Kind::cut_after, .bytes = dice() % 200};
  }
}

}  // namespace

std::function<std::optional<HubSpotFault>(net::Request const&)> make_weather(HubSpotWeather weather, std::size_t* met) {
  struct State {
    std::mt19937 dice;
    std::size_t met = 0;
  };
  auto const state = std::make_shared<State>(std::mt19937{weather.seed});
  return [state, weather, met](net::Request const&) -> std::optional<HubSpotFault> {
    if (state->met >= weather.most || state->dice() % 100 >= weather.percent) return {};
    ++state->met;
    if (met) *met = state->met;
    return any_fault(state->dice);
  };
}

}  // namespace sim::crm
