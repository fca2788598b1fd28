#include "gateway/call/playout.h"

#include <algorithm>
#include <array>

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t bytes_per_ms = media::telephone_rate / 1000;

constexpr nanoseconds length_of(std::int64_t bytes) { return nanoseconds{bytes * 1'000'000 / bytes_per_ms}; }
constexpr std::int64_t bytes_of(nanoseconds length) { return length.count() * bytes_per_ms / 1'000'000; }

}  // namespace

Playout::Turn& Playout::turn(std::size_t index) {
  if (turns_.size() <= index) turns_.resize(index + 1);
  return turns_[index];
}

void Playout::push(std::size_t index, std::span<std::uint8_t const> mulaw, Instant now) {
  if (mulaw.empty()) return;
  auto const room = static_cast<std::size_t>(bytes_of(settings_.bound)) - std::min<std::size_t>(
      queued_bytes(), static_cast<std::size_t>(bytes_of(settings_.bound)));
  if (mulaw.size() > room) {
    dropped_bytes_ += mulaw.size() - room;
    mulaw = mulaw.first(room);
  }
  auto& state = turn(index);
  if (open_ && state.sent_bytes > 0 && !state.ended && horizon_ < now && spans_.empty()) ++underruns_;
  state.ended = false;
  state.generated_bytes += static_cast<std::int64_t>(mulaw.size());
  if (head_ > 0 && head_ == queue_.size()) {
    queue_.clear();
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
  } else if (state.sent_bytes > state.marked_bytes && open_) {
    mark(index, now);
  }
  pump(now);
}

void Playout::open(Instant now) {
  open_ = true;
  horizon_ = now;
  pump(now);
}

void Playout::close(Instant now) {
  settle_unheard(now);
  open_ = false;
}

void Playout::pump(Instant now) {
  if (!open_) return;
  while (!spans_.empty()) {
    auto& front = spans_.front();
    auto const ahead = std::max<nanoseconds>(horizon_ - now, nanoseconds{0});
    auto const whole = front.bytes / media::mulaw_frame_bytes;
    if (whole == 0) {
      // The tail of a turn: complete at its end, or when the agent pauses and the carrier is about to run dry.
      bool const running_dry = ahead < 2 * media::frame_duration;
      if (!front.ended && !running_dry) return;
      if (front.bytes > 0 && !front.ended && ahead > nanoseconds{0}) return;
      finish_front(now);
      continue;
    }
    auto const frames = std::min(whole, settings_.message_frames);
    if (ahead > nanoseconds{0} && ahead + frames * nanoseconds{media::frame_duration} > settings_.lead) return;
    bool const more_may_come = frames < settings_.message_frames && !front.ended;
    if (more_may_come && ahead > 3 * media::frame_duration) return;
    if (!send(frames, now)) return;
  }
}

bool Playout::send(std::size_t frames, Instant now) {
  auto& front = spans_.front();
  auto& state = turn(front.turn);
  auto const bytes = frames * media::mulaw_frame_bytes;
  auto const plays_at = std::max(horizon_, now);
  bool const taken = sink_.send_audio(std::span{queue_}.subspan(head_, bytes), plays_at);
  head_ += bytes;
  front.bytes -= bytes;
  if (!taken) {
    dropped_bytes_ += bytes;
    return true;
  }
  horizon_ = plays_at + length_of(static_cast<std::int64_t>(bytes));
  state.sent_bytes += static_cast<std::int64_t>(bytes);
  state.horizon = horizon_;
  auto const index = front.turn;
  if (front.bytes == 0 && front.ended) spans_.pop_front(), mark(index, now);
  else if (state.sent_bytes - state.marked_bytes >= bytes_of(settings_.mark_every)) mark(index, now);
  return true;
}

void Playout::finish_front(Instant now) {
  auto const front = spans_.front();
  spans_.pop_front();
  auto& state = turn(front.turn);
  if (front.bytes > 0) {
    std::array<std::uint8_t, media::mulaw_frame_bytes> frame;
    frame.fill(media::mulaw_silence);
    std::copy_n(queue_.begin() + static_cast<std::ptrdiff_t>(head_), front.bytes, frame.begin());
    head_ += front.bytes;
    auto const plays_at = std::max(horizon_, now);
    if (sink_.send_audio(frame, plays_at)) {
      horizon_ = plays_at + media::frame_duration;
      state.sent_bytes += static_cast<std::int64_t>(front.bytes);
      state.horizon = plays_at + length_of(static_cast<std::int64_t>(front.bytes));
    } else {
      dropped_bytes_ += front.bytes;
    }
  }
  if (state.sent_bytes > state.marked_bytes) mark(front.turn, now);
}

void Playout::mark(std::size_t index, Instant) {
  auto& state = turn(index);
  state.marked_bytes = state.sent_bytes;
  std::string name = "t" + std::to_string(index) + ":" + std::to_string(state.sent_bytes / bytes_per_ms) + "." +
                     std::to_string(next_mark_++);
  sink_.send_mark(name);
  pending_marks_.push_back({std::move(name), index, state.sent_bytes, state.horizon});
}

bool Playout::on_mark(std::string_view name, Instant now) {
  auto const found = std::ranges::find(pending_marks_, name, &Mark::name);
  if (found == pending_marks_.end()) return false;
  auto& state = turn(found->turn);
  state.heard_bytes = std::max(state.heard_bytes, found->bytes);
  round_trip_ = std::clamp<nanoseconds>(now - found->expected, nanoseconds{0}, std::chrono::seconds{1});
  // Marks come back in order: an earlier one still pending was lost on the way, and its audio was played all the same.
  for (auto it = pending_marks_.begin(); it != found; ++it) {
    auto& earlier = turn(it->turn);
    earlier.heard_bytes = std::max(earlier.heard_bytes, it->bytes);
  }
  pending_marks_.erase(pending_marks_.begin(), found + 1);
  return true;
}

void Playout::settle_unheard(Instant now) {
  // Where the play head stood: everything sent, less what was still ahead of it. It lags what we sent by one network way.
  auto const play_head = now - round_trip_ / 2;
  for (std::size_t index = 0; index < turns_.size(); ++index) {
    auto& state = turns_[index];
    bool const open_mark = std::ranges::any_of(pending_marks_, [&](Mark const& m) { return m.turn == index; });
    bool const unfinished = state.heard_bytes < state.generated_bytes && !state.cut;
    if (!unfinished || (!open_mark && state.sent_bytes == state.heard_bytes && state.sent_bytes == state.generated_bytes))
      continue;
    auto const unplayed = bytes_of(std::max<nanoseconds>(state.horizon - play_head, nanoseconds{0}));
    auto const played = std::clamp<std::int64_t>(state.sent_bytes - unplayed, 0, state.sent_bytes);
    state.heard_bytes = std::max(state.heard_bytes, played);
    state.cut = state.heard_bytes < state.generated_bytes;
    state.marked_bytes = state.sent_bytes;
  }
  pending_marks_.clear();
}

void Playout::interrupt(Instant now) {
  settle_unheard(now);
  queue_.clear();
  head_ = 0;
  spans_.clear();
  horizon_ = now;
}

TurnProgress Playout::progress(std::size_t index) const {
  if (index >= turns_.size()) return {};
  auto const& state = turns_[index];
  return {state.generated_bytes / bytes_per_ms, state.sent_bytes / bytes_per_ms, state.heard_bytes / bytes_per_ms, state.cut};
}

}  // namespace gateway
