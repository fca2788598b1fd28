#pragma once
#include <chrono>
#include <deque>
#include <optional>

#include "gateway/base/time_source.h"

namespace sim::elevenlabs {

/// Compares the audio a client has sent with the time that has passed. A live caller cannot be faster than time; the
/// second and a half allowed at first is what a client may have collected before it knew the format.
class Pacing {
 public:
  using Duration = base::TimeSource::Clock::duration;
  enum class Fault { too_fast, gap };
  struct Finding {
    Fault fault;
    double amount;  ///< too_fast: audio seconds per second; gap: milliseconds without audio.
  };

  /// Reports too_fast (over 1.2 times real time, within ten seconds) once until it is over, and every gap beyond 250 ms
  /// after the previous audio should have ended.
  std::optional<Finding> arrived(base::Instant now, Duration audio);

 private:
  struct Chunk {
    base::Instant at;
    Duration audio;
  };
  std::deque<Chunk> recent_;
  Duration sum_{};
  base::Instant first_;
  bool started_ = false;
  bool too_fast_ = false;
};

}  // namespace sim::elevenlabs
