#include "loadtest/load/wheel.h"

namespace sim::load {

void Wheel::turn(std::int64_t now_ns) {
  while (next_ns_ <= now_ns) {
    auto& calls = spokes_[position_];
    for (std::size_t i = 0; i < calls.size();) {
      auto* const call = calls[i];
      call->beat(next_ns_);
      if (call->is_idle()) {
        calls[i] = calls.back();
        calls.pop_back();
      } else {
        ++i;
      }
    }
    position_ = (position_ + 1) % spokes;
    next_ns_ += step_ns;
  }
}

}  // namespace sim::load
