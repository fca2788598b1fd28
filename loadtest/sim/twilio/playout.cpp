#include "loadtest/sim/twilio/playout.h"

#include <algorithm>

namespace sim::twilio {

bool Playout::push(std::span<std::uint8_t const> mulaw) {
  auto const room = playout_cap_bytes - queued_bytes();
  auto const kept = mulaw.first(std::min(room, mulaw.size()));
  bytes_.insert(bytes_.end(), kept.begin(), kept.end());
  pushed_ += kept.size();
  return kept.size() == mulaw.size();
}

bool Playout::mark(std::string name) {
  if (marks_.empty() && finished_ == pushed_) return true;
  marks_.push_back({pushed_, std::move(name)});
  return false;
}

std::vector<std::string> Playout::clear() {
  bytes_.clear();
  pushed_ = taken_;
  base_ = taken_;
  std::vector<std::string> dropped;
  for (auto& mark : marks_) dropped.push_back(std::move(mark.name));
  marks_.clear();
  return dropped;
}

Playout::Tick Playout::tick() {
  Tick tick;
  finished_ = taken_;
  while (!marks_.empty() && marks_.front().position <= finished_) {
    tick.passed.push_back(std::move(marks_.front().name));
    marks_.pop_front();
  }
  tick.frame.bytes.fill(media::mulaw_silence);
  tick.fresh = std::min(queued_bytes(), media::mulaw_frame_bytes);
  auto const from = bytes_.begin() + static_cast<std::ptrdiff_t>(taken_ - base_);
  std::copy_n(from, tick.fresh, tick.frame.bytes.begin());
  taken_ += tick.fresh;
  // Moving the rest to the front now and then keeps a long greeting from being copied at every frame.
  if (taken_ == pushed_ || taken_ - base_ >= 64 * 1024) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_ - base_));
    base_ = taken_;
  }
  return tick;
}

}  // namespace sim::twilio
