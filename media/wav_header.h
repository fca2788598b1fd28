#pragma once
// The 44 bytes before the samples of a plain PCM WAV file, as WavWriter writes them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace media {

inline constexpr std::size_t wav_header_bytes = 44;
inline constexpr std::uint64_t most_wav_data_bytes = 0xFFFF'FFFFU - 64;  // sizes are 32 bits wide

inline constexpr std::uint16_t wave_format_pcm = 1;  // mmreg.h WAVE_FORMAT_*
inline constexpr std::uint16_t wave_format_float = 3;
inline constexpr std::uint16_t wave_format_alaw = 6;
inline constexpr std::uint16_t wave_format_mulaw = 7;
inline constexpr std::uint16_t wave_format_extensible = 0xFFFE;

using WavHeader = std::array<std::uint8_t, wav_header_bytes>;

inline WavHeader wav_header(std::uint32_t rate, std::uint16_t channels, std::uint32_t data_bytes) {
  WavHeader header{'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0};
  auto const put = [&header](std::size_t at, std::uint32_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) header[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  };
  std::uint32_t const frame_bytes = 2U * channels;
  put(4, data_bytes + wav_header_bytes - 8, 4);
  put(20, wave_format_pcm, 2);
  put(22, channels, 2);
  put(24, rate, 4);
  put(28, rate * frame_bytes, 4);
  put(32, frame_bytes, 2);
  put(34, 16, 2);
  header[36] = 'd';
  header[37] = 'a';
  header[38] = 't';
  header[39] = 'a';
  put(40, data_bytes, 4);
  return header;
}

/// Little-endian number of `bytes` bytes (up to four) at `at`, which must lie inside.
inline std::uint32_t wav_number(std::span<std::uint8_t const> from, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= std::uint32_t{from[at + i]} << (8 * i);
  return value;
}

}  // namespace media
