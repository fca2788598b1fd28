#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "loadtest/sim/elevenlabs/scenario.h"

namespace sim::elevenlabs {

/// Decides by energy when a caller speaks and has finished. Its clock is the audio itself: a stream that stops does not
/// end a turn, as with the real service's turn model.
class TurnDetector {
 public:
  struct Settings {
    std::uint32_t rate;
    Milliseconds turn_silence{700};
    Milliseconds speech_start{60};  ///< Speech, gaps up to 100 ms allowed, that counts as the caller speaking.
  };
  enum class Kind { speech_started, turn_ended };
  struct Event {
    Kind kind;
    Milliseconds spoken;  ///< From the start of speech to its last voiced moment.
  };

  explicit TurnDetector(Settings settings) : settings_{settings} {}
  /// Any number of samples; decisions fall every 20 ms.
  std::vector<Event> push(std::span<std::int16_t const> samples);
  bool caller_is_speaking() const { return speaking_; }

 private:
  void window_ended(std::vector<Event>& events);

  Settings settings_;
  double energy_ = 0;
  std::size_t in_window_ = 0;
  bool speaking_ = false;
  Milliseconds voiced_{0};  // since speech began
  Milliseconds spoken_{0};  // since speech began, pauses included
  Milliseconds quiet_{0};   // since the last voiced window
};

/// Root mean square in dBFS of a full-scale square wave; -100 for silence or nothing.
double level_dbfs(std::span<std::int16_t const> samples);

}  // namespace sim::elevenlabs
