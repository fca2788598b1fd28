#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

#include "loadtest/load/figures.h"

namespace sim::load {

/// Counts durations in buckets of which each is less than 1 % wide, from a nanosecond to days. All its storage is there
/// from the beginning, so that counting a frame costs no allocation.
class Histogram {
 public:
  Histogram();

  /// Negative durations count as none.
  void record(std::int64_t nanoseconds);
  void clear();
  void add(Histogram const& other);

  std::int64_t count() const { return count_; }
  std::int64_t max_ns() const { return max_; }
  /// The duration that `share` (0 to 1) of all are at or under, at most 1 % off; 0 when nothing was recorded.
  std::int64_t at(double share) const;

  Distribution distribution() const;

 private:
  std::vector<std::uint32_t> counts_;
  std::int64_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sim::load
