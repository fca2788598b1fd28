#include "loadtest/load/delivery.h"

#include <algorithm>

namespace sim::load {
namespace {

constexpr std::uint32_t remembered = 64;

std::uint64_t shifted(std::uint64_t bits, std::uint32_t by) {
  return by < remembered ? bits << by : 0;
}

}  // namespace

Delivery::Kind Delivery::take(std::uint32_t frame) {
  ++tally_->received;
  if (frame >= next_) {
    auto const jumped = frame - next_;
    tally_->lost += jumped;
    auto const gap = jumped < remembered ? (std::uint64_t{1} << jumped) - 1 : ~std::uint64_t{0};
    missing_ = shifted(shifted(missing_, jumped) | gap, 1);
    next_ = frame + 1;
    return Kind::next;
  }
  auto const age = next_ - 1 - frame;
  bool const was_missing = age < remembered && ((missing_ >> age) & 1) != 0;
  if (!was_missing) {
    ++tally_->duplicated;
    return Kind::duplicated;
  }
  missing_ &= ~(std::uint64_t{1} << age);
  --tally_->lost;
  ++tally_->swapped;
  return Kind::swapped;
}

void Delivery::forgive_before(std::uint32_t frame) {
  if (frame <= next_) return;
  tally_->sent -= frame - next_;
  missing_ = shifted(missing_, frame - next_);
  next_ = frame;
}

void Delivery::finish(std::uint32_t sent, std::uint32_t excused) {
  auto const owed = std::min(sent, excused);
  if (owed > next_) tally_->lost += owed - next_;
  auto const followed = std::max(owed, next_);
  if (sent > followed) tally_->sent -= sent - followed;
  next_ = std::max(next_, sent);
}

}  // namespace sim::load
