#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "loadtest/sim/crm/hubspot_sim.h"

namespace sim::crm {

/// Faults by dice, for HubSpotSim::on_request: each request meets one with this chance, until `most` have been met.
/// The same seed makes the same weather for the same requests.
struct HubSpotWeather {
  unsigned percent = 0;
  std::uint32_t seed = 1;
  std::size_t most = SIZE_MAX;
};

/// `met`, when given, counts the faults and must outlive the function.
std::function<std::optional<HubSpotFault>(net::Request const&)> make_weather(HubSpotWeather weather,
                                                                             std::size_t* met = nullptr);

}  // namespace sim::crm
