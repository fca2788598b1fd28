#pragma once
// How long those who wait for a call's end wait for it. No clock, no socket, no database.
#include <cstdint>
#include <vector>

#include "loadtest/chaos/check.h"
#include "loadtest/chaos/history.h"

namespace sim::chaos {

/// Milliseconds; of `count` delays. A percentile is one of them: so many in a hundred were not longer.
struct Delay {
  std::int64_t count = 0;
  std::int64_t p50_ms = 0;
  std::int64_t p95_ms = 0;
  std::int64_t p99_ms = 0;
  std::int64_t most_ms = 0;
};
Delay delay_of(std::vector<std::int64_t> samples);

struct Delays {
  Delay outcome;  ///< From the hang-up, at the carrier, until another connection to the database sees the outcome.
  Delay told;     ///< From the hang-up until a receiver has taken `call.ended`.
  Delay texted;   ///< From when the agent heard that it is booked until the carrier has taken the confirming message.
  std::int64_t never_seen = 0;  ///< Calls that have an outcome which nobody saw come.
};

/// Of calls whose cycle nothing disturbed, and of the others.
struct DelayReport {
  Delays undisturbed;
  Delays disturbed;
};
DelayReport measure_delays(std::vector<Entry> const& history, Found const& found);

/// The largest number of calls whose media streams were open at once.
std::int64_t most_at_once(std::vector<Entry> const& history);

}  // namespace sim::chaos
