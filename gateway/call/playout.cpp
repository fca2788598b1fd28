#include "gateway/call/playout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t bytes_per_ms = media::telephone_rate / 1000;

// Part of a frame waits this long for its rest; then the carrier gets it, for it may be the last of the turn.
constexpr auto patience_with_a_part = milliseconds{100};
// An agent that streams in real time leaves gaps of one message; only a longer one is worth a mark of its own.
constexpr auto pause_that_may_be_the_end = milliseconds{500};
// A carrier that echoes no marks must not make a call grow.
constexpr std::size_t most_pending_marks = 256;
// A drained queue keeps this much storage for the next turn: two seconds.
constexpr std::size_t kept_queue_bytes = 16 * 1024;

constexpr nanoseconds length_of(std::int64_t bytes) {
  return nanoseconds{bytes * 1'000'000 / bytes_per_ms};
}
constexpr std::int64_t bytes_of(nanoseconds length) {
  return length.count() * bytes_per_ms / 1'000'000;
}

}  // namespace

Playout::Turn& Playout::turn(std::size_t index) {
  if (turns_.size() <= index) turns_.resize(index + 1);
  return turns_[index];
}

void Playout::push(std::size_t index, std::span<std::uint8_t const> mulaw, Instant now) {
  if (mulaw.empty()) return;
  auto& state = turn(index);
  bool const ran_dry = queued_bytes() < media::mulaw_frame_bytes && horizon_ < now;
  if (open_ && state.sent > 0 && !state.ended && ran_dry) ++underruns_;
  state.ended = false;
  state.generated += static_cast<std::int64_t>(mulaw.size());
  last_push_ = now;
  auto const bound = static_cast<std::size_t>(bytes_of(settings_.bound));
  auto const room = bound - std::min(queued_bytes(), bound);
  if (mulaw.size() > room) {
    dropped_bytes_ += mulaw.size() - room;
    mulaw = mulaw.first(room);
  }
  if (head_ == queue_.size()) {
    if (queue_.capacity() > kept_queue_bytes) queue_ = {};
    queue_.clear();
    head_ = 0;
  } else if (head_ >= queued_bytes()) {
    // Less is moved than has been sent since the last time, so a turn without pauses does not grow the queue.
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  queue_.insert(queue_.end(), mulaw.begin(), mulaw.end());
  if (!spans_.empty() && spans_.back().turn != index) spans_.back().ended = true;
  if (spans_.empty() || spans_.back().turn != index) spans_.push_back({index, 0, false});
  spans_.back().bytes += mulaw.size();
  pump(now);
}

void Playout::end_turn(std::size_t index, Instant now) {
  auto& state = turn(index);
  if (state.ended) return;
  state.ended = true;
  if (!spans_.empty() && spans_.back().turn == index) {
    spans_.back().ended = true;
  } else if (state.sent > state.marked && open_) {
    mark(index);
  }
  pump(now);
}

void Playout::open(Instant now) {
  open_ = true;
  horizon_ = now;
  pump(now);
}

void Playout::close(Instant now) {
  settle_unheard(now, /*interrupted=*/false);
  open_ = false;
}

void Playout::pump(Instant now) {
  if (!open_) return;
  while (!spans_.empty()) {
    auto const& front = spans_.front();
    auto const ahead = std::max<nanoseconds>(horizon_ - now, nanoseconds{0});
    auto const whole = front.bytes / media::mulaw_frame_bytes;
    if (whole == 0) {
      // The tail of a turn: complete at its end, or when the agent pauses and the carrier is about to run dry.
      auto const patience = front.bytes > 0 ? patience_with_a_part : pause_that_may_be_the_end;
      bool const pausing = now - last_push_ >= patience && ahead < 2 * media::frame_duration;
      if (!front.ended && !pausing) return;
      if (front.bytes > 0 && ahead > nanoseconds{0} && ahead + media::frame_duration > settings_.lead) return;
      finish_front(now);
      continue;
    }
    auto const frames = std::min(whole, settings_.message_frames);
    if (ahead > nanoseconds{0} && ahead + frames * nanoseconds{media::frame_duration} > settings_.lead) return;
    bool const more_may_come = frames < settings_.message_frames && !front.ended;
    if (more_may_come && ahead > 3 * media::frame_duration) return;
    send(frames, now);
  }
}

void Playout::send(std::size_t frames, Instant now) {
  auto& front = spans_.front();
  auto const index = front.turn;
  auto& state = turn(index);
  auto const bytes = frames * media::mulaw_frame_bytes;
  bool const taken = hand_over(state, std::span{queue_}.subspan(head_, bytes), static_cast<std::int64_t>(bytes), now);
  head_ += bytes;
  front.bytes -= bytes;
  if (front.bytes == 0 && front.ended) {
    spans_.erase(spans_.begin());
    if (state.sent > state.marked) mark(index);
  } else if (taken && state.sent - state.marked >= bytes_of(settings_.mark_every)) {
    mark(index);
  }
}

void Playout::finish_front(Instant now) {
  auto const front = spans_.front();
  spans_.erase(spans_.begin());
  auto& state = turn(front.turn);
  if (front.bytes > 0) {
    std::array<std::uint8_t, media::mulaw_frame_bytes> frame;
    frame.fill(media::mulaw_silence);
    std::copy_n(queue_.begin() + static_cast<std::ptrdiff_t>(head_), front.bytes, frame.begin());
    head_ += front.bytes;
    (void)hand_over(state, frame, static_cast<std::int64_t>(front.bytes), now);
  }
  if (state.sent > state.marked) mark(front.turn);
}

/// Audio that the carrier refuses loses its time slot: a carrier that stalls must not swallow all that waits at one go.
bool Playout::hand_over(Turn& state, std::span<std::uint8_t const> audio, std::int64_t real_bytes, Instant now) {
  auto const plays_at = std::max(horizon_, now);
  bool const taken = sink_.send_audio(audio, plays_at);
  horizon_ = plays_at + length_of(static_cast<std::int64_t>(audio.size()));
  state.passed += real_bytes;
  if (!taken) {
    dropped_bytes_ += static_cast<std::uint64_t>(real_bytes);
    return false;
  }
  state.sent += real_bytes;
  state.horizon = plays_at + length_of(real_bytes);
  return true;
}

void Playout::mark(std::size_t index) {
  auto& state = turn(index);
  state.marked = state.sent;
  std::string name = "t" + std::to_string(index) + ":" + std::to_string(state.sent / bytes_per_ms) + "." +
                     std::to_string(next_mark_++);
  sink_.send_mark(name);
  if (pending_marks_.size() >= most_pending_marks) pending_marks_.erase(pending_marks_.begin());
  pending_marks_.push_back({std::move(name), index, state.sent, state.passed, state.horizon});
}

void Playout::prove(Turn& state, Mark const& mark) {
  state.heard = std::max(state.heard, mark.sent - state.lost);
  state.reached = std::max(state.reached, mark.passed);
}

bool Playout::on_mark(std::string_view name, Instant now) {
  auto const found = std::ranges::find(pending_marks_, name, &Mark::name);
  if (found == pending_marks_.end()) return false;
  round_trip_ = std::clamp<nanoseconds>(now - found->expected, nanoseconds{0}, std::chrono::seconds{1});
  // Marks come back in order: an earlier one still pending was lost on the way, and its audio was played all the same.
  for (auto it = pending_marks_.begin(); it <= found; ++it) prove(turn(it->turn), *it);
  pending_marks_.erase(pending_marks_.begin(), found + 1);
  return true;
}

/// What the carrier holds is gone. Heard was everything up to the play head, which lags what we sent by one network
/// way.
void Playout::settle_unheard(Instant now, bool interrupted) {
  auto const play_head = now - round_trip_ / 2;
  for (auto& state : turns_) {
    if (state.sent - state.lost == state.heard) continue;
    auto const unplayed = bytes_of(std::max<nanoseconds>(state.horizon - play_head, nanoseconds{0}));
    auto const in_flight = state.sent - state.lost - state.heard;
    auto const lost_now = std::min(unplayed, in_flight);
    if (lost_now < in_flight) state.reached = std::max(state.reached, state.passed - lost_now);
    state.heard += in_flight - lost_now;
    state.lost += lost_now;
    state.cut |= interrupted && lost_now > 0;
    state.marked = state.sent;
  }
  pending_marks_.clear();
}

void Playout::interrupt(Instant now) {
  settle_unheard(now, /*interrupted=*/true);
  for (auto const& span : spans_) {
    auto& state = turn(span.turn);
    state.passed += static_cast<std::int64_t>(span.bytes);
    state.cut |= span.bytes > 0;
  }
  queue_.clear();
  head_ = 0;
  spans_.clear();
  horizon_ = now;
}

TurnProgress Playout::progress(std::size_t index) const {
  if (index >= turns_.size()) return {};
  auto const& state = turns_[index];
  bool const comes_whole = !state.cut && state.lost == 0;
  return {state.generated / bytes_per_ms,
          state.sent / bytes_per_ms,
          state.heard / bytes_per_ms,
          state.reached / bytes_per_ms,
          state.cut,
          (comes_whole ? state.generated : state.reached) / bytes_per_ms};
}

}  // namespace gateway
