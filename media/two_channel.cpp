#include "media/two_channel.h"

#include <algorithm>
#include <cstdlib>

#include "media/mulaw.h"

namespace media {
namespace {

// Mu-law has two zeros that sound the same. Audio is stored with the positive one only, which leaves the negative one
// to mark samples where nothing was said yet.
constexpr std::uint8_t hole = 0x7F;

std::uint8_t stored(std::uint8_t code) {
  return code == hole ? mulaw_silence : code;
}

}  // namespace

void TwoChannelTimeline::add(Side side, Milliseconds at, std::span<std::uint8_t const> mulaw,
                             std::vector<std::int16_t>& out) {
  auto& track = this->track(side);
  auto const known = std::max(end(tracks_[0]), end(tracks_[1]));
  // Compared in milliseconds first: a wild stamp must not overflow when it becomes samples.
  auto const latest = Milliseconds{known / samples_per_ms} + horizon;
  if (at > latest || at < -horizon) {
    track.dropped += mulaw.size();
    return;
  }
  auto begin = at.count() * samples_per_ms;
  if (std::abs(begin - end(track)) <= snap.count() * samples_per_ms) begin = end(track);

  while (!mulaw.empty()) {
    if (begin < emitted_) {
      auto const late = std::min(mulaw.size(), static_cast<std::size_t>(emitted_ - begin));
      track.dropped += late;
      mulaw = mulaw.subspan(late);
      begin += static_cast<std::int64_t>(late);
      continue;
    }
    // A step at a time, so that a long piece passes through the window instead of widening it.
    constexpr std::int64_t window_samples = window.count() * samples_per_ms;
    auto const step = mulaw.first(std::min(mulaw.size(), mulaw_frame_bytes));
    auto const step_end = begin + static_cast<std::int64_t>(step.size());
    if (step_end - emitted_ > window_samples) emit_until(step_end - window_samples, out);
    place(track, static_cast<std::size_t>(begin - emitted_), step);
    begin = step_end;
    mulaw = mulaw.subspan(step.size());
  }
  emit_until(std::min(end(tracks_[0]), end(tracks_[1])), out);
}

void TwoChannelTimeline::advance_to(Milliseconds now, std::vector<std::int16_t>& out) {
  emit_until(now.count() * samples_per_ms, out);
}

void TwoChannelTimeline::finish(std::vector<std::int16_t>& out) {
  emit_until(std::max(end(tracks_[0]), end(tracks_[1])), out);
}

void TwoChannelTimeline::place(Track& track, std::size_t at, std::span<std::uint8_t const> mulaw) {
  auto& codes = track.codes;
  if (codes.size() < at + mulaw.size()) codes.resize(at + mulaw.size(), hole);
  for (std::size_t i = 0; i < mulaw.size(); ++i) {
    auto& code = codes[at + i];
    if (code == hole) {
      code = stored(mulaw[i]);
    } else {
      ++track.dropped;
    }
  }
}

void TwoChannelTimeline::emit_until(std::int64_t position, std::vector<std::int16_t>& out) {
  if (position <= emitted_) return;
  auto const count = static_cast<std::size_t>(position - emitted_);
  auto const start = out.size();
  out.resize(start + count * 2, 0);
  for (std::size_t channel = 0; channel < tracks_.size(); ++channel) {
    auto& codes = tracks_[channel].codes;
    auto const ready = std::min(count, codes.size());
    for (std::size_t i = 0; i < ready; ++i) out[start + i * 2 + channel] = mulaw_to_linear(codes[i]);
    codes.erase(codes.begin(), codes.begin() + static_cast<std::ptrdiff_t>(ready));
  }
  emitted_ = position;
}

}  // namespace media
