#pragma once
// Agent audio on its way to the caller. Agents speak in bursts much faster than real time; the carrier gets it with a
// small lead, so that an interruption has little to throw away there.
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/frame.h"

namespace gateway {

struct PlayoutSettings {
  std::chrono::milliseconds lead{200};         ///< How much may be queued at the carrier.
  std::size_t message_frames = 3;              ///< Frames in one message once a turn is under way.
  std::chrono::milliseconds mark_every{1000};  ///< Audio between two marks inside a long turn.
  std::chrono::milliseconds bound{120000};     ///< How much may wait here; what comes beyond is dropped and counted.
};

/// Where playout sends. `audio` is whole frames of one turn and will be heard from `plays_at` on.
class PlayoutSink {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  virtual ~PlayoutSink() = default;
  /// False when the carrier did not take it; the audio then counts as never sent, and its time passes all the same.
  virtual bool send_audio(std::span<std::uint8_t const> audio, Instant plays_at) = 0;
  virtual void send_mark(std::string_view name) = 0;
};

/// How far one agent turn has come, in milliseconds of audio.
struct TurnProgress {
  std::int64_t generated_ms = 0;
  std::int64_t sent_ms = 0;
  std::int64_t heard_ms = 0;    ///< Proven by marks, or up to where the play head was when playback was cut off.
  std::int64_t reached_ms = 0;  ///< Up to where in the turn that was: beyond heard_ms when a part before it was lost.
  bool cut = false;             ///< Interrupted before its end.
  std::int64_t due_ms = 0;      ///< Up to where in the turn it will have been heard if nobody interrupts.
};

/// Pure: time comes in as an argument. Turns are numbered by the caller of push(), from 0 upward, without going back.
class Playout {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Playout(PlayoutSettings settings, PlayoutSink& sink) : settings_{settings}, sink_{sink} {}

  /// Appends µ-law of a turn. The first audio after a silence goes out in the same call once open() was called.
  void push(std::size_t turn, std::span<std::uint8_t const> mulaw, Instant now);
  /// No more audio of this turn will come: its odd tail is padded and marked.
  void end_turn(std::size_t turn, Instant now);
  /// Sends what is due. To be called at least every 20 ms while there is something to play.
  void pump(Instant now);
  /// The carrier is there: audio that has waited may go. Forgets what an earlier carrier stream held.
  void open(Instant now);
  /// The carrier is gone: what was sent and not yet heard stays unheard.
  void close(Instant now);

  /// Drops everything unsent and takes what the carrier holds as unheard; the caller of this sends `clear`.
  void interrupt(Instant now);
  /// An echoed mark. Returns false for marks that were cleared: they prove nothing.
  bool on_mark(std::string_view name, Instant now);

  TurnProgress progress(std::size_t turn) const;
  bool is_speaking(Instant now) const { return horizon_ > now || !spans_.empty(); }
  /// True when nothing waits here and every mark has come back.
  bool is_drained() const { return spans_.empty() && pending_marks_.empty(); }
  std::size_t queued_bytes() const { return queue_.size() - head_; }
  std::uint64_t underruns() const { return underruns_; }
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }
  /// When the audio sent so far will have been played.
  Instant horizon() const { return horizon_; }

 private:
  struct Span {
    std::size_t turn;
    std::size_t bytes;
    bool ended;
  };
  /// All in bytes, which are samples.
  struct Turn {
    std::int64_t generated = 0;
    std::int64_t passed = 0;  // has left the queue: sent, refused or cleared
    std::int64_t sent = 0;
    std::int64_t lost = 0;    // sent, and thrown away before it was played
    std::int64_t marked = 0;  // `sent` at the newest mark
    std::int64_t heard = 0;
    std::int64_t reached = 0;  // `passed` at the newest heard sample
    Instant horizon{};         // when the newest sent audio of this turn ends
    bool cut = false;
    bool ended = false;
  };
  struct Mark {
    std::string name;
    std::size_t turn;
    std::int64_t sent;
    std::int64_t passed;
    Instant expected;  // when playback reaches it, without network delay
  };

  Turn& turn(std::size_t index);
  void send(std::size_t frames, Instant now);
  void finish_front(Instant now);
  bool hand_over(Turn& state, std::span<std::uint8_t const> audio, std::int64_t real_bytes, Instant now);
  void mark(std::size_t index);
  static void prove(Turn& state, Mark const& mark);
  void settle_unheard(Instant now, bool interrupted);

  // What every beat touches comes first.
  Instant horizon_{};
  Instant last_push_{};
  std::vector<Span> spans_;
  bool open_ = false;
  std::size_t head_ = 0;  // before it everything has left
  std::vector<std::uint8_t> queue_;
  PlayoutSettings settings_;
  PlayoutSink& sink_;
  std::vector<Turn> turns_;
  std::vector<Mark> pending_marks_;
  std::chrono::nanoseconds round_trip_{0};  // newest measured delay between expected play time and echo
  std::uint64_t next_mark_ = 0;
  std::uint64_t underruns_ = 0;
  std::uint64_t dropped_bytes_ = 0;
};

}  // namespace gateway
