#pragma once
// The unit of telephone audio: 20 ms of mu-law, as Twilio Media Streams sends and takes it.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace media {

inline constexpr std::uint32_t telephone_rate = 8000;  ///< Samples a second on the telephone side.
inline constexpr auto frame_duration = std::chrono::milliseconds{20};
inline constexpr std::size_t mulaw_frame_bytes = 160;  ///< 8000 Hz x 20 ms x 1 byte.
inline constexpr std::uint8_t mulaw_silence = 0xFF;    ///< Positive zero; 0x7F (negative zero) sounds the same.

/// One frame of mu-law, oldest sample first.
struct MulawFrame {
  std::array<std::uint8_t, mulaw_frame_bytes> bytes;

  friend bool operator==(MulawFrame const&, MulawFrame const&) = default;
};

}  // namespace media
