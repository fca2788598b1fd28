#pragma once
// The number of a frame as sound that survives conversion and resampling: two loud pulses and 34 bits as levels of half
// a millisecond. The end of the frame stays silent, so that a frame is complete at the receiver although a resampler
// still holds its last milliseconds; the time of arrival is therefore that of the message, not of the sound.
#include <cstdint>
#include <span>
#include <vector>

#include "media/format.h"

namespace sim::load {

/// What fits into a frame: numbers are cut to their lower bits.
struct ToneStamp {
  static constexpr std::uint32_t calls = 1U << 12;
  static constexpr std::uint32_t frames = 1U << 13;

  std::uint32_t call = 0;
  std::uint32_t frame = 0;
};

/// Appends 20 ms: telephone µ-law or pcm16 of 8 or 16 kHz.
void append_tone(ToneStamp stamp, media::AudioFormat format, std::vector<std::uint8_t>& out);

class ToneEvents {
 public:
  virtual void on_tone(ToneStamp stamp) = 0;
  /// Pulses as at the beginning of a frame, and no number after them.
  virtual void on_damage() = 0;

 protected:
  ~ToneEvents() = default;
};

class ToneReader {
 public:
  explicit ToneReader(media::AudioFormat format);
  void take(std::span<std::uint8_t const> audio, ToneEvents& events);

 private:
  void read(ToneEvents& events);

  media::AudioFormat format_;
  std::size_t step_;  // samples in an eighth of a millisecond
  std::vector<std::int16_t> samples_;
  std::size_t skipped_ = 0;  // samples of a frame's silent end that have not come yet
  bool is_locked_ = false;   // a frame begins at the first sample
};

/// The whole number nearest to `near` that was cut to `cut`.
std::uint32_t uncut(std::uint32_t cut, std::uint32_t modulus, std::uint32_t near);

}  // namespace sim::load
