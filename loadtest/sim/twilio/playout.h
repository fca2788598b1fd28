#pragma once
// What Twilio does with the audio a gateway sends: one FIFO, drained 160 bytes every 20 ms, with marks lying between
// bytes.
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "media/frame.h"

namespace sim::twilio {

/// Twilio keeps at most 10 minutes of audio for one stream and discards what comes on top (error 31931).
inline constexpr std::size_t playout_cap_bytes = std::size_t{10} * 60 * media::telephone_rate;

/// A value without a clock: whoever owns it calls tick() every 20 ms.
class Playout {
 public:
  struct Tick {
    media::MulawFrame frame;          ///< What the caller hears for the next 20 ms.
    std::size_t fresh = 0;            ///< How many of its bytes came from the gateway; the rest is silence.
    std::vector<std::string> passed;  ///< Marks whose audio has now been heard to its end.
  };

  /// Appends audio. False when some of it was discarded because 10 minutes are already waiting.
  bool push(std::span<std::uint8_t const> mulaw);
  /// True when nothing is waiting or sounding, so that the mark is to be echoed at once; else it waits for its place.
  bool mark(std::string name);
  /// Drops what has not begun to sound; returns the marks that were waiting, oldest first.
  std::vector<std::string> clear();
  /// Ends the frame that sounded during the last 20 ms and begins the next one.
  Tick tick();

  std::size_t queued_bytes() const { return static_cast<std::size_t>(pushed_ - taken_); }
  /// Audio of the gateway sounds during the present 20 ms.
  bool sounding() const { return taken_ != finished_; }

 private:
  struct Mark {
    std::uint64_t position;
    std::string name;
  };
  std::vector<std::uint8_t> bytes_;  // those from position `base_` on
  std::uint64_t base_ = 0;
  std::uint64_t pushed_ = 0;    // positions count bytes since the stream began
  std::uint64_t taken_ = 0;     // begun to sound
  std::uint64_t finished_ = 0;  // heard to the end
  std::deque<Mark> marks_;
};

}  // namespace sim::twilio
