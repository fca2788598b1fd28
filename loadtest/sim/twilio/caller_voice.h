#pragma once
// The simulated person's mouth and ears during a stream.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "loadtest/sim/twilio/exchange.h"
#include "media/frame.h"

namespace sim::twilio {

/// Which 20 ms the caller sends next.
class CallerVoice {
 public:
  enum class Turn { none, speaks, barges_in, falls_silent };
  struct Next {
    media::MulawFrame frame;
    Turn turn = Turn::none;  ///< What begins or ended with this frame.
  };

  explicit CallerVoice(Caller const& script) : script_{script} {}

  /// `offset`: since the stream's start. `agent_speaks`: the caller hears the agent now.
  Next next(Millis offset, bool agent_speaks);

 private:
  Caller const& script_;
  std::span<std::uint8_t const> rest_;
  bool speaking_ = false;
  bool barged_in_ = false;
  std::optional<Millis> speaks_at_ = script_.speech_at;
};

/// Finds the agent's utterances in what is played to the caller.
class AgentEar {
 public:
  enum class Turn { none, speaks, falls_silent };

  /// One 20 ms frame that sounds from `now` on, of which the first `fresh` bytes are the gateway's.
  Turn hear(Clock::time_point now, std::span<std::uint8_t const> frame, std::size_t fresh);
  /// Playback was cut on purpose: the silence that follows is no hole.
  void cut() { dry_since_.reset(), had_audio_ = false; }

  bool agent_speaks() const { return speaking_; }
  std::uint64_t turns() const { return turns_; }
  std::uint64_t underruns() const { return underruns_; }
  /// How long the agent has been silent after having spoken; empty before its first word and while it speaks.
  std::optional<Clock::duration> quiet_for(Clock::time_point now) const;

 private:
  bool speaking_ = false;
  bool had_audio_ = false;
  std::uint64_t turns_ = 0;
  std::uint64_t underruns_ = 0;
  Clock::time_point last_speech_;
  std::optional<Clock::time_point> dry_since_;
};

}  // namespace sim::twilio
