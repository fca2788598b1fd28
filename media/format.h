#pragma once
// How a stream of audio bytes is to be read. The names are ElevenLabs' (agent conversation metadata); the telephone
// side is always `telephone`.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "media/frame.h"

namespace media {

enum class Codec { mulaw, pcm16 };  ///< pcm16: signed, little endian.

/// Always one channel.
struct AudioFormat {
  Codec codec;
  std::uint32_t rate;  ///< Samples a second.

  friend bool operator==(AudioFormat const&, AudioFormat const&) = default;
};

inline constexpr AudioFormat telephone{Codec::mulaw, telephone_rate};

constexpr std::size_t bytes_per_sample(Codec codec) {
  return codec == Codec::mulaw ? 1 : 2;
}
constexpr std::size_t bytes_per_second(AudioFormat format) {
  return bytes_per_sample(format.codec) * format.rate;
}

/// Reads `ulaw_8000` and `pcm_8000|16000|22050|24000|44100|48000`; any other name is a `protocol` fault that quotes it.
base::Result<AudioFormat> parse_format(std::string_view name);

/// The name that `parse_format` reads.
std::string to_string(AudioFormat format);

}  // namespace media
