#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "loadtest/load/call.h"

namespace sim::load {

/// Ticks calls every 20 ms, each at a moment of its own, so that their frames are spread evenly over the time.
class Wheel {
 public:
  static constexpr std::size_t spokes = 80;
  static constexpr std::int64_t step_ns = frame_ns / static_cast<std::int64_t>(spokes);

  void start(std::int64_t now_ns) { next_ns_ = now_ns + step_ns; }
  void join(Call& call) { spokes_[spoke_of(call.slot())].push_back(&call); }
  /// Ticks whatever is due. Calls that have become idle leave.
  void turn(std::int64_t now_ns);

 private:
  /// Neighbours land far from each other, and any number of calls in a row evenly.
  static std::size_t spoke_of(std::uint32_t slot) { return slot * 49ULL % spokes; }

  std::array<std::vector<Call*>, spokes> spokes_;
  std::int64_t next_ns_ = 0;
  std::size_t position_ = 0;
};

}  // namespace sim::load
