#pragma once
// Bytes of one audio format to bytes of another, chunk by chunk.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/format.h"
#include "media/resampler.h"

namespace media {

/// One object per direction of a call. Equal formats are copied byte for byte. Chunks may be cut anywhere: the odd byte
/// of a PCM sample waits for its other half, and the output does not depend on the cuts. State is a few hundred bytes.
class Transcoder {
 public:
  /// Throws std::invalid_argument when `Resampler` does not support the rates; names read by `parse_format` always are.
  Transcoder(AudioFormat from, AudioFormat to);

  /// Appends what `in` yields to `out`.
  void convert(std::span<std::uint8_t const> in, std::vector<std::uint8_t>& out);

  /// Appends the end of the stream that the resampler still holds, and starts afresh. Half a sample is dropped.
  void flush(std::vector<std::uint8_t>& out);

  /// Forgets the stream: the audio that follows is another utterance.
  void reset();

  /// How far the output runs behind the input.
  std::chrono::microseconds delay() const;

 private:
  std::size_t decode(std::span<std::uint8_t const>& in, std::span<std::int16_t> samples);
  void resample(std::span<std::int16_t const> samples, std::vector<std::uint8_t>& out);
  void encode(std::span<std::int16_t const> samples, std::vector<std::uint8_t>& out) const;

  AudioFormat from_;
  AudioFormat to_;
  std::optional<Resampler> resampler_;
  std::optional<std::uint8_t> half_sample_;
};

}  // namespace media
