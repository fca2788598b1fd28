#pragma once

#include <optional>
#include <vector>

#include "loadtest/load/figures.h"

namespace sim::load {

/// What one command measured: one run, or the probes of a search for the largest number of calls, the confirming run
/// last.
struct Report {
  std::optional<int> max_calls;  ///< found by the search; 0 when not even the smallest number was carried
  std::vector<Figures> runs;     ///< in the order they were taken
};

}  // namespace sim::load
