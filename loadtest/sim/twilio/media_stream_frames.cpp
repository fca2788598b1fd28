// What a Media Stream does every 20 ms and with each message; its life is in media_stream.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "loadtest/sim/twilio/media_stream.h"

namespace sim::twilio {

using namespace std::chrono_literals;

void MediaStream::on_text(std::string_view message) {
  if (stopped_ || finish_) return;
  auto decoded = decode_from_gateway(message, id_.stream_sid);
  if (!decoded) return violate(decoded.error().code, decoded.error().what);
  ++report_.messages;
  std::visit([this](auto& known) { take(std::move(known)); }, *decoded);
}

void MediaStream::on_binary(std::size_t bytes) {
  violate(31950, fmt::format("a binary message of {} bytes", bytes));
}

void MediaStream::take(MediaMessage const& message) {
  auto const now = Clock::now();
  auto const size = static_cast<std::uint32_t>(message.mulaw.size());
  if (report_.media_messages++ == 0) {
    report_.first_audio_ms = ms_between(started_, now);
    report_.smallest_media = size;
    journal_.note(EventKind::first_audio, {}, *report_.first_audio_ms);
  }
  report_.smallest_media = std::min(report_.smallest_media, size);
  report_.largest_media = std::max(report_.largest_media, size);
  report_.media_bytes += size;
  record_arrival(now, size);
  if (plan_.keep_audio) report_.received.insert(report_.received.end(), message.mulaw.begin(), message.mulaw.end());
  if (!playout_.push(message.mulaw)) violate(31931, "more than 10 minutes of audio are queued");
  report_.most_queued_bytes = std::max(report_.most_queued_bytes, playout_.queued_bytes());
}

void MediaStream::record_arrival(Clock::time_point now, std::size_t bytes) {
  // A spurt is audio meant to be heard without a gap. Its n-th byte has to be here n/8 ms after the spurt began.
  bool const is_playing = playout_.queued_bytes() > 0 || playout_.sounding();
  bool const continues = spurt_began_ && (is_playing || (dry_since_ && now - *dry_since_ < 400ms));
  if (!continues) {
    spurt_began_ = now;
    spurt_bytes_ = 0;
  }
  auto const needed_at = *spurt_began_ + std::chrono::microseconds{spurt_bytes_ * 125};
  arrival_lateness_.push_back(static_cast<float>(ms_between(needed_at, now)));
  spurt_bytes_ += bytes;
}

void MediaStream::take(MarkMessage message) {
  ++report_.marks;
  auto const name = message.name;
  if (playout_.mark(std::move(message.name))) {
    echo(name);
    journal_.note(EventKind::mark, name);
  }
}

void MediaStream::take(ClearMessage) {
  auto const now = Clock::now();
  ++report_.clears;
  // What already sounds ends with its frame: Twilio hands audio to the telephone network 20 ms at a time.
  double const until_silent = playout_.sounding() ? std::max(0.0, ms_between(now, due(tick_))) : 0.0;
  report_.clear_to_silence_ms.push_back(until_silent);
  if (barge_in_began_ && !report_.barge_in_ms) report_.barge_in_ms = ms_between(*barge_in_began_, now);
  auto const pending = playout_.clear();
  ear_.cut();
  spurt_began_.reset();
  journal_.note(EventKind::clear, {}, until_silent);
  for (auto const& name : pending) echo(name);
}

void MediaStream::echo(std::string const& name) {
  if (send(encode_mark(id_, ++sequence_, name))) ++report_.marks_echoed;
}

bool MediaStream::send(std::string_view text) {
  auto const sent = socket_->send(text);
  if (!sent && sent.error().fault == base::Fault::too_large)
    violate(31930, "the gateway does not read; caller audio was dropped");
  return sent.has_value();
}

void MediaStream::play_tick(Clock::time_point due_at) {
  auto const played = playout_.tick();
  ++tick_;
  for (auto const& name : played.passed) {
    echo(name);
    journal_.note(EventKind::mark, name);
  }
  if (played.fresh > 0)
    dry_since_.reset();
  else if (!dry_since_)
    dry_since_ = due_at;
  if (plan_.keep_audio && played.fresh > 0) journal_.heard(due_at, played.frame.bytes);
  auto const turn = ear_.hear(due_at, played.frame.bytes, played.fresh);
  if (turn == AgentEar::Turn::speaks) journal_.note(EventKind::agent_speaks);
  if (turn == AgentEar::Turn::falls_silent) journal_.note(EventKind::agent_silent);
  auto const offset = std::chrono::duration_cast<Millis>(due_at - started_);
  press_due_keys(offset);
  obey_line_faults(offset);
  consider_hanging_up(due_at);
}

Clock::time_point MediaStream::leaves_at(std::uint64_t frame) {
  auto at = due(frame);
  if (plan_.caller.pacing == Pacing::bursts) at = due(frame - frame % 3 + 2);
  if (plan_.caller.pacing == Pacing::jitter)
    at += std::chrono::microseconds{static_cast<std::int64_t>(random_() % 30001) - 15000};
  if (plan_.caller.stall) {
    auto const from = started_ + plan_.caller.stall->at;
    auto const to = from + plan_.caller.stall->length;
    if (at >= from && at < to) at = to;
  }
  return std::max(at, leaves_);  // frames never overtake each other
}

void MediaStream::send_frame(Clock::time_point now) {
  auto const offset = std::chrono::duration_cast<Millis>(due(frame_) - started_);
  auto const next = voice_.next(offset, ear_.agent_speaks());
  if (next.turn == CallerVoice::Turn::speaks) journal_.note(EventKind::caller_speaks);
  if (next.turn == CallerVoice::Turn::falls_silent) journal_.note(EventKind::caller_silent);
  if (next.turn == CallerVoice::Turn::barges_in) {
    barge_in_began_ = now;
    journal_.note(EventKind::caller_speaks, "interrupts");
  }
  auto const timestamp = first_timestamp_ms_ + static_cast<std::int64_t>(frame_) * 20;
  encode_media(message_, id_, sequence_ + 1, frame_ + 1, timestamp, next.frame.bytes);
  if (send(message_)) {
    ++sequence_;
    ++report_.frames_sent;
    send_lateness_.push_back(static_cast<float>(ms_between(leaves_, now)));
  } else {
    ++report_.frames_lost;
  }
  ++frame_;
  leaves_ = leaves_at(frame_);
}

void MediaStream::press_due_keys(Millis offset) {
  if (keys_.empty() || offset < next_key_at_) return;
  char const key = keys_.front();
  keys_.erase(0, 1);
  next_key_at_ = offset + plan_.caller.dtmf_gap;
  send(encode_dtmf(id_, ++sequence_, key));
  journal_.note(EventKind::dtmf, std::string{key});
}

void MediaStream::obey_line_faults(Millis offset) {
  auto const& caller = plan_.caller;
  if (caller.drop_tcp_after && offset >= *caller.drop_tcp_after) finish(StreamEnd::connection_dropped);
  if (caller.stop_reading) {
    auto const from = caller.stop_reading->at;
    valve_.hold(offset >= from && offset < from + caller.stop_reading->length);
  }
}

void MediaStream::consider_hanging_up(Clock::time_point now) {
  auto const& caller = plan_.caller;
  auto const quiet = ear_.quiet_for(now);
  bool const heard_enough = caller.hang_up_after_agent_turns > 0 && ear_.turns() >= caller.hang_up_after_agent_turns;
  bool const is_bored = caller.hang_up_after_quiet && quiet && *quiet >= *caller.hang_up_after_quiet;
  if (heard_enough || is_bored) finish(StreamEnd::caller_hung_up);
}

}  // namespace sim::twilio
