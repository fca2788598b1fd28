#include "loadtest/sim/elevenlabs/pacing.h"

#include <algorithm>

namespace sim::elevenlabs {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;
constexpr auto horizon = 10s;
constexpr auto longest_gap = 250ms;

}  // namespace

std::optional<Pacing::Finding> Pacing::arrived(base::Instant now, Duration audio) {
  std::optional<Finding> finding;
  if (!started_) {
    started_ = true;
    first_ = now;
  } else if (!recent_.empty()) {
    auto const gap = now - recent_.back().at - recent_.back().audio;
    if (gap > longest_gap) finding = {Fault::gap, std::chrono::duration<double, std::milli>(gap).count()};
  }
  recent_.push_back({now, audio});
  sum_ += audio;
  // The newest chunk always stays: the next gap is measured from it.
  while (recent_.front().at + horizon <= now && recent_.size() > 1) {
    sum_ -= recent_.front().audio;
    recent_.pop_front();
  }
  auto const elapsed = Seconds{std::min<Duration>(now - first_, horizon)};
  auto const allowed = std::max<Seconds>(elapsed * 1.2, elapsed + 1.5s);
  bool const fast = Seconds{sum_} > allowed;
  if (fast && !too_fast_) finding = {Fault::too_fast, Seconds{sum_} / std::max(elapsed, Seconds{0.02})};
  too_fast_ = fast;
  return finding;
}

}  // namespace sim::elevenlabs
