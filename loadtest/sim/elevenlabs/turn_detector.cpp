#include "loadtest/sim/elevenlabs/turn_detector.h"

#include <algorithm>
#include <cmath>

#include "media/level.h"

namespace sim::elevenlabs {
namespace {

constexpr Milliseconds window{20};
constexpr Milliseconds longest_gap_at_start{100};

double to_dbfs(double energy, std::size_t samples) {
  if (samples == 0 || energy <= 0) return -100;
  return std::max(-100.0, 10 * std::log10(energy / static_cast<double>(samples) / (32768.0 * 32768.0)));
}

}  // namespace

double level_dbfs(std::span<std::int16_t const> samples) {
  double energy = 0;
  for (auto const sample : samples) energy += static_cast<double>(sample) * sample;
  return to_dbfs(energy, samples.size());
}

std::vector<TurnDetector::Event> TurnDetector::push(std::span<std::int16_t const> samples) {
  std::vector<Event> events;
  auto const window_samples = static_cast<std::size_t>(settings_.rate) * window.count() / 1000;
  for (auto const sample : samples) {
    energy_ += static_cast<double>(sample) * sample;
    if (++in_window_ == window_samples) window_ended(events);
  }
  return events;
}

void TurnDetector::window_ended(std::vector<Event>& events) {
  bool const voiced = to_dbfs(energy_, in_window_) > static_cast<double>(media::speech_threshold_dbfs);
  energy_ = 0;
  in_window_ = 0;
  if (voiced) {
    voiced_ += window;
    spoken_ += quiet_ + window;
    quiet_ = Milliseconds{0};
    if (!speaking_ && voiced_ >= settings_.speech_start) {
      speaking_ = true;
      events.push_back({Kind::speech_started, spoken_});
    }
    return;
  }
  if (voiced_.count() == 0) return;
  quiet_ += window;
  if (quiet_ < (speaking_ ? settings_.turn_silence : longest_gap_at_start)) return;
  if (speaking_) events.push_back({Kind::turn_ended, spoken_});
  speaking_ = false;
  voiced_ = spoken_ = quiet_ = Milliseconds{0};
}

}  // namespace sim::elevenlabs
