#include "loadtest/sim/twilio/caller_voice.h"

#include <algorithm>

#include "media/level.h"

namespace sim::twilio {
namespace {

using namespace std::chrono_literals;

constexpr auto end_of_utterance = 300ms;  // longer than the stops inside words, shorter than a pause between sentences
constexpr auto longest_hole = 400ms;
constexpr auto pause_between_repeats = 2000ms;

}  // namespace

CallerVoice::Next CallerVoice::next(Millis offset, bool agent_speaks) {
  Next next;
  bool const barge_in = script_.barge_in_at && !barged_in_ && agent_speaks && offset >= *script_.barge_in_at;
  if (barge_in) {
    barged_in_ = true;
    rest_ = script_.barge_in_speech;
    next.turn = Turn::barges_in;
  } else if (rest_.empty() && speaks_at_ && offset >= *speaks_at_ && !script_.speech.empty()) {
    rest_ = script_.speech;
    speaks_at_.reset();
    next.turn = Turn::speaks;
  } else if (rest_.empty() && speaking_) {
    next.turn = Turn::falls_silent;
    if (script_.speech_repeats) speaks_at_ = offset + pause_between_repeats;
  }
  speaking_ = !rest_.empty();
  next.frame.bytes.fill(media::mulaw_silence);
  auto const spoken = rest_.first(std::min(rest_.size(), media::mulaw_frame_bytes));
  std::copy(spoken.begin(), spoken.end(), next.frame.bytes.begin());
  rest_ = rest_.subspan(spoken.size());
  return next;
}

AgentEar::Turn AgentEar::hear(Clock::time_point now, std::span<std::uint8_t const> frame, std::size_t fresh) {
  if (fresh > 0) {
    if (dry_since_ && now - *dry_since_ < longest_hole) ++underruns_;
    dry_since_.reset();
  }
  bool const ran_dry = fresh < frame.size() && (fresh > 0 || had_audio_);
  if (ran_dry) dry_since_ = now + std::chrono::microseconds{fresh * 125};  // 8 bytes a millisecond
  had_audio_ = fresh == frame.size();

  if (fresh > 0 && media::sounds_like_speech(frame.first(fresh))) {
    last_speech_ = now;
    bool const begins = !speaking_;
    speaking_ = true;
    return begins ? Turn::speaks : Turn::none;
  }
  if (!speaking_ || now - last_speech_ < end_of_utterance) return Turn::none;
  speaking_ = false;
  ++turns_;
  return Turn::falls_silent;
}

std::optional<Clock::duration> AgentEar::quiet_for(Clock::time_point now) const {
  if (speaking_ || turns_ == 0) return std::nullopt;
  return now - last_speech_;
}

}  // namespace sim::twilio
