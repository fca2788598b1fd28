#include "gateway/call/bridge.h"

#include <algorithm>
#include <array>

#include "gateway/call/recording.h"
#include "media/level.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;

constexpr auto caller_gap_before_silence = milliseconds{500};
constexpr auto look_around_every = milliseconds{100};
constexpr std::size_t most_digits = 32;

std::vector<double> first_audio_buckets() {
  return {0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
}

}  // namespace

BridgeMetrics::BridgeMetrics(base::Metrics& m)
    : caller_frames_dropped{m.counter("switchboard_caller_frames_dropped_total",
                                      "Caller frames too old when the agent was ready.")},
      agent_bytes_stale{
          m.counter("switchboard_agent_bytes_stale_total", "Agent audio of interrupted turns, thrown away.")},
      agent_bytes_dropped{m.counter("switchboard_agent_bytes_dropped_total",
                                    "Agent audio beyond the playout bound or refused by the carrier.")},
      interruptions{m.counter("switchboard_interruptions_total", "Agent turns cut by the caller.")},
      underruns{m.counter("switchboard_playout_underruns_total", "Times the carrier ran dry inside an agent turn.")},
      marks_cleared{
          m.counter("switchboard_marks_cleared_total", "Marks echoed because of a clear; they prove nothing.")},
      first_audio_seconds{m.histogram("switchboard_first_audio_seconds", "Stream start to first agent audio sent.",
                                      first_audio_buckets())} {}

Bridge::Bridge(BridgeSettings settings, base::TimeSource& time, BridgeMetrics& metrics, BridgeEvents& events)
    : time_{time},
      playout_{settings.playout, *this},
      settings_{settings},
      metrics_{metrics},
      events_{events},
      begun_{time.now()} {}

milliseconds Bridge::since_begin() const {
  return std::chrono::duration_cast<milliseconds>(time_.now() - begun_);
}

// ---- legs come and go

void Bridge::attach_caller(CallerLeg& leg) {
  caller_ = &leg;
  auto const now = time_.now();
  stream_started_ = now;
  last_caller_audio_ = now;
  last_sound_ = now;
  dead_air_reported_ = false;
  winding_down_ = false;
  playout_.open(now);
}

void Bridge::detach_caller() {
  auto const now = time_.now();
  playout_.close(now);
  if (recording_) recording_->cut(since_begin());
  caller_ = nullptr;
}

void Bridge::attach_agent(AgentLeg& leg) {
  agent_ = &leg;
  queued_ = false;
  last_sound_ = time_.now();
  dead_air_reported_ = false;
}

void Bridge::detach_agent(bool was_lost) {
  if (was_lost && current_turn_) transcript_.broke_off(*current_turn_);
  end_agent_turn();
  agent_ = nullptr;
  ready_.reset();
  to_agent_.reset();
  to_caller_.reset();
  last_interruption_.reset();
  reopened_turn_.reset();
  transcript_.new_conversation();
}

void Bridge::tool_pending(bool pending) {
  tool_pending_ = pending;
  last_sound_ = time_.now();
}

// ---- caller to agent

void Bridge::on_caller_audio(std::span<std::uint8_t const> mulaw, milliseconds at) {
  auto const now = time_.now();
  last_caller_audio_ = now;
  if (media::sounds_like_speech(mulaw)) {
    last_sound_ = now;
    caller_spoke_ = true;
  }
  if (recording_ && stream_started_)
    recording_->caller(std::chrono::duration_cast<milliseconds>(*stream_started_ - begun_) + at, mulaw);
  hear(mulaw);
}

void Bridge::hear(std::span<std::uint8_t const> mulaw) {
  if (winding_down_) return;
  if (!agent_ || !ready_ || queued_) {
    early_audio_.insert(early_audio_.end(), mulaw.begin(), mulaw.end());
    auto const keep = static_cast<std::size_t>(settings_.early_audio.count()) * media::telephone_rate / 1000;
    if (early_audio_.size() > keep) {
      auto const old = early_audio_.size() - keep;
      metrics_.caller_frames_dropped.Increment(static_cast<double>(old) / media::mulaw_frame_bytes);
      early_audio_.erase(early_audio_.begin(), early_audio_.begin() + static_cast<std::ptrdiff_t>(old));
    }
    return;
  }
  if (ready_->hears == media::telephone) {
    agent_->hear(mulaw);
    return;
  }
  scratch_.clear();
  to_agent_->convert(mulaw, scratch_);
  if (!scratch_.empty()) agent_->hear(scratch_);
}

void Bridge::on_caller_digit(char digit) {
  last_digit_ = time_.now();
  last_sound_ = last_digit_;
  caller_spoke_ = true;
  if (digits_.size() < most_digits) digits_ += digit;
  // Which key is the caller's secret (a card number, a PIN); that one was pressed is not.
  events_.on_event("key_pressed", "{}");
  if (digit == '#' || digits_.size() >= most_digits) deliver_digits();
}

void Bridge::deliver_digits() {
  if (digits_.empty() || !agent_ || !ready_) return;
  agent_->press(digits_);
  digits_.clear();
}

void Bridge::on_mark(std::string_view name) {
  if (playout_.on_mark(name, time_.now()))
    events_.on_heard();
  else
    metrics_.marks_cleared.Increment();
}

// ---- agent to caller

void Bridge::on_agent_ready(AgentReady const& ready) {
  if (ready_) {
    // The leg has opened a second conversation: its event ids begin anew.
    end_agent_turn();
    transcript_.new_conversation();
    last_interruption_.reset();
    reopened_turn_.reset();
    to_agent_.reset();
    to_caller_.reset();
  }
  ready_ = ready;
  if (!(ready.hears == media::telephone)) to_agent_.emplace(media::telephone, ready.hears);
  if (!(ready.speaks == media::telephone)) to_caller_.emplace(ready.speaks, media::telephone);
  last_sound_ = time_.now();
  events_.on_agent_accepted(ready);
  hear_early_audio();
}

void Bridge::hear_early_audio() {
  if (!agent_ || !ready_ || queued_) return;
  auto const waiting = std::exchange(early_audio_, {});
  for (std::size_t at = 0; at < waiting.size(); at += media::mulaw_frame_bytes)
    hear(std::span{waiting}.subspan(at, std::min(media::mulaw_frame_bytes, waiting.size() - at)));
}

void Bridge::on_agent_audio(AgentAudio const& audio) {
  if (!ready_) return;
  if (last_interruption_ && audio.event_id <= *last_interruption_ && reopened_turn_ != audio.event_id) {
    metrics_.agent_bytes_stale.Increment(static_cast<double>(audio.bytes.size()));
    return;
  }
  auto const now = time_.now();
  auto const turn = transcript_.agent_turn(audio.event_id, since_begin());
  if (current_turn_ != turn) {
    end_agent_turn();
    current_turn_ = turn;
    if (to_caller_) to_caller_->reset();
    events_.on_turn_changed();
  }
  if (audio.alignment) transcript_.agent_spoke(turn, *audio.alignment, playout_.progress(turn).generated_ms);
  last_sound_ = now;
  last_agent_audio_ = now;
  caller_spoke_ = false;
  if (ready_->speaks == media::telephone) {
    playout_.push(turn, audio.bytes, now);
    return;
  }
  scratch_.clear();
  to_caller_->convert(audio.bytes, scratch_);
  playout_.push(turn, scratch_, now);
}

void Bridge::end_agent_turn() {
  if (!current_turn_) return;
  auto const turn = *std::exchange(current_turn_, std::nullopt);
  auto const now = time_.now();
  if (to_caller_) {
    scratch_.clear();
    to_caller_->flush(scratch_);
    playout_.push(turn, scratch_, now);
  }
  playout_.end_turn(turn, now);
}

void Bridge::on_agent_text(std::int64_t event_id, std::string_view text) {
  if (last_interruption_ && event_id == *last_interruption_) {
    // The same id spoken anew: official clients disagree whether that happens, so a second text after the cut reopens
    // it.
    if (auto const old = transcript_.find_agent_turn(event_id); old && transcript_.has_text(*old)) {
      transcript_.retire(*old);
      reopened_turn_ = event_id;
      events_.on_event("turn_reopened", "{}");
    }
  }
  auto const turn = transcript_.agent_turn(event_id, since_begin());
  transcript_.agent_said(turn, text);
  events_.on_turn_changed();
}

void Bridge::on_agent_correction(std::optional<std::int64_t> event_id, std::string_view original,
                                 std::string_view corrected) {
  if (transcript_.correct(event_id, original, corrected)) events_.on_turn_changed();
}

void Bridge::on_agent_turn_complete(std::int64_t event_id) {
  auto const turn = transcript_.find_agent_turn(event_id);
  if (turn && current_turn_ == turn) end_agent_turn();
}

void Bridge::on_caller_text(std::int64_t event_id, std::string_view text) {
  transcript_.caller_said(event_id, text, since_begin());
  caller_spoke_ = true;
  last_sound_ = time_.now();
  events_.on_turn_changed();
}

void Bridge::on_interruption(std::int64_t event_id) {
  auto const now = time_.now();
  last_interruption_ = std::max(last_interruption_.value_or(event_id), event_id);
  reopened_turn_.reset();
  metrics_.interruptions.Increment();
  auto const cut = transcript_.find_agent_turn(event_id);
  bool const was_speaking = playout_.is_speaking(now);
  current_turn_.reset();
  if (to_caller_) to_caller_->reset();
  // First, so that no mark echoed by the clear can pass for one that was reached.
  playout_.interrupt(now);
  // Also when everything has been sent: the carrier may still be playing.
  if (caller_) (void)caller_->clear();
  if (recording_) recording_->cut(since_begin());
  if (cut && was_speaking) transcript_.interrupted(*cut);
  events_.on_event("interrupted", "{}");
  events_.on_turn_changed();
}

void Bridge::on_queue(QueueState state) {
  queued_ = state == QueueState::waiting;
  last_sound_ = time_.now();
  hear_early_audio();
  events_.on_event(queued_ ? "agent_queue_waiting" : "agent_queue_admitted", "{}");
}

bool Bridge::send_audio(std::span<std::uint8_t const> audio, Instant plays_at) {
  if (!caller_) return false;
  auto sent = caller_->play(audio);
  if (!sent) return false;
  if (!first_audio_sent_) {
    first_audio_sent_ = true;
    if (stream_started_)
      metrics_.first_audio_seconds.Observe(std::chrono::duration<double>(time_.now() - *stream_started_).count());
  }
  if (recording_) recording_->agent(std::chrono::duration_cast<milliseconds>(plays_at - begun_), audio);
  return true;
}

void Bridge::send_mark(std::string_view name) {
  if (caller_) (void)caller_->mark(name);
}

// ---- every 20 ms

void Bridge::on_beat(base::Instant now) {
  playout_.pump(now);
  if (playout_.is_speaking(now)) last_sound_ = now;
  keep_agent_fed(now);
  if (now >= next_look_) look_around(now);
}

/// What need not be looked at fifty times a second.
void Bridge::look_around(base::Instant now) {
  next_look_ = now + look_around_every;
  if (!digits_.empty() && now - last_digit_ >= settings_.digit_pause) deliver_digits();
  watch_for_dead_air(now);
  if (recording_) recording_->passed(since_begin());
  if (auto const count = playout_.underruns(); count > underruns_reported_) {
    metrics_.underruns.Increment(static_cast<double>(count - underruns_reported_));
    underruns_reported_ = count;
  }
  if (auto const bytes = playout_.dropped_bytes(); bytes > drops_reported_) {
    metrics_.agent_bytes_dropped.Increment(static_cast<double>(bytes - drops_reported_));
    drops_reported_ = bytes;
  }
}

/// The agent's turn detector needs the silence after speech; a carrier that stalls must not leave a turn open.
void Bridge::keep_agent_fed(base::Instant now) {
  if (!agent_ || !ready_ || queued_ || winding_down_) return;
  if (!caller_) {
    if (now - last_sound_ < std::chrono::seconds{2}) return;
    agent_->keep_patient();
    last_sound_ = now;
    return;
  }
  if (now - last_caller_audio_ < caller_gap_before_silence) return;
  static constexpr auto silence = [] {
    std::array<std::uint8_t, media::mulaw_frame_bytes> frame{};
    frame.fill(media::mulaw_silence);
    return frame;
  }();
  hear(silence);
}

void Bridge::watch_for_dead_air(base::Instant now) {
  if (!caller_ || winding_down_ || tool_pending_ || queued_ || dead_air_reported_) return;
  bool const agent_owes = caller_spoke_ || !first_audio_sent_;
  if (!agent_owes) return;
  // An agent may wait for the caller's first word, so silence on both sides gets twice the time.
  auto const limit = caller_spoke_ || !ready_ ? settings_.dead_air : 2 * settings_.dead_air;
  if (now - last_sound_ < limit) return;
  dead_air_reported_ = true;
  events_.on_dead_air();
}

}  // namespace gateway
