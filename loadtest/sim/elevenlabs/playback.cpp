#include "loadtest/sim/elevenlabs/playback.h"

#include <algorithm>

namespace sim::elevenlabs {

std::string heard_words(std::string const& text, double share) {
  if (share >= 1) return text;
  auto const limit = static_cast<std::size_t>(std::max(0.0, share) * static_cast<double>(text.size()));
  auto const space = text.rfind(' ', limit);
  if (space == std::string::npos || space == 0) return {};
  return text.substr(0, space) + "...";
}

void Playback::begin(std::int64_t event_id, std::string text, Duration total, std::size_t line) {
  parts_.push_back({event_id, std::move(text), total, line, std::nullopt});
}

void Playback::sent(base::Instant now, Duration audio) {
  if (parts_.empty()) return;
  if (!playing(now)) {
    // All before the newest was heard to its end.
    parts_.erase(parts_.begin(), parts_.end() - 1);
    until_ = now;
  }
  if (!parts_.back().start) parts_.back().start = until_;
  until_ += audio;
}

std::optional<std::int64_t> Playback::event_id(base::Instant now) const {
  std::optional<std::int64_t> id;
  for (auto const& part : parts_)
    if (part.start && *part.start <= now) id = part.event_id;
  return id;
}

std::vector<Playback::Cut> Playback::interrupt(base::Instant now) {
  std::vector<Cut> cuts;
  for (auto& part : parts_) {
    double share = 0;
    if (part.start && part.total.count() > 0)
      share = static_cast<double>((now - *part.start).count()) / static_cast<double>(part.total.count());
    if (share >= 1) continue;
    auto heard = heard_words(part.text, share);
    cuts.push_back({part.line, part.event_id, std::move(part.text), std::move(heard)});
  }
  parts_.clear();
  until_ = now;
  return cuts;
}

}  // namespace sim::elevenlabs
