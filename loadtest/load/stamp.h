#pragma once
// The number of a frame inside its audio. µ-law that is only carried, not converted, arrives byte for byte, so the
// bytes themselves hold the number, the time and a check sum.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "media/frame.h"

namespace sim::load {

struct Stamp {
  std::uint32_t call = 0;
  std::uint32_t frame = 0;
  std::int64_t sent_ns = 0;       ///< When it was written, on the monotonic clock.
  std::uint32_t lateness_ns = 0;  ///< How long before that it was due.

  std::int64_t due_ns() const { return sent_ns - lateness_ns; }
  bool operator==(Stamp const&) const = default;
};

using StampedFrame = std::span<std::uint8_t, media::mulaw_frame_bytes>;

/// The part of a frame that `stamp` writes anew; what follows is the same in all frames.
inline constexpr std::size_t stamp_bytes = 24;  // whole groups of base64

/// A frame in which only the stamp is missing: sounds like a voice to a level meter.
std::array<std::uint8_t, media::mulaw_frame_bytes> unstamped_frame();

/// Writes the first `stamp_bytes` bytes.
void write_stamp(Stamp const& stamp, std::span<std::uint8_t, stamp_bytes> out);

/// Nothing unless each of the 160 bytes is as it was sent.
std::optional<Stamp> read_stamp(std::span<std::uint8_t const, media::mulaw_frame_bytes> frame);

/// What a StampReader tells.
class StampEvents {
 public:
  virtual void on_stamp(Stamp const& stamp) = 0;
  /// Audio that is neither a frame of ours nor silence; once for each stretch of it.
  virtual void on_damage() = 0;

 protected:
  ~StampEvents() = default;
};

/// Finds the frames in audio that comes in pieces of any length.
class StampReader {
 public:
  void take(std::span<std::uint8_t const> audio, StampEvents& events);
  /// Forgets a frame of which only the beginning came.
  void reset() { kept_ = 0; }

 private:
  std::size_t scan(std::span<std::uint8_t const> audio, StampEvents& events);

  std::array<std::uint8_t, 2 * media::mulaw_frame_bytes> kept_bytes_{};
  std::size_t kept_ = 0;
  bool is_damaged_ = false;
};

}  // namespace sim::load
