#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/chaos/delays.h"

namespace sim::chaos {

/// Most that the calls of undisturbed cycles may wait; a run in which they waited longer is not clean. Nothing: no
/// limit.
struct Limits {
  std::optional<std::chrono::milliseconds> outcome_p99;  ///< From hang-up to the visible outcome.
  std::optional<std::chrono::milliseconds> told_p95;     ///< Until receiver and carrier have taken what is for them.
  std::int64_t calls_at_once = 0;                        ///< So many must have been up together.
};

/// A sentence for each limit that was not kept. An outcome that nobody saw appear keeps none.
std::vector<std::string> exceeded(Limits const& limits, Delays const& undisturbed, std::int64_t most_at_once);

}  // namespace sim::chaos
