#pragma once
// Changes the sample rate of one mono stream without a seam between chunks.
//
// A polyphase windowed-sinc filter of our own instead of speexdsp, because it measured better on all that a call pays
// for (one x86-64 core, 20 ms of audio; quality 3 is speexdsp's usual choice for voice):
//
//                       8->16 kHz   16->8 kHz   24->8 kHz   44.1->8 kHz   delay     gain at 3.4 kHz
//   this filter          0.7 us      0.6 us      1.0 us       1.8 us      1.5 ms    -0.01 dB
//   speexdsp quality 1   1.3 us      0.9 us      1.2 us       9.1 us      1.0 ms    -4.2 to -6.0 dB
//   speexdsp quality 3   2.1 us      1.9 us      2.5 us        23 us      3.0 ms    -0.3 to -1.1 dB
//   speexdsp quality 5   2.8 us      2.7 us      4.4 us        41 us      5.0 ms     0.00 dB
//
// Aliases: a 5 kHz tone comes out 65 dB down or more here, 67 to 120 dB down from speexdsp; mu-law itself has 38 dB.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace media {

class FilterBank;

/// Output depends on the samples only, not on how they were cut into chunks; all arithmetic is on integers, so it is
/// the same on every machine. After n input samples exactly ceil(n * to / from) have come out, however long the call
/// lasts. Pass band up to 0.425 of the lower rate (3.4 kHz on the telephone side) within 0.1 dB; from 0.575 of it on,
/// images and aliases are attenuated by at least 55 dB. One object per direction; copies go on independently.
class Resampler {
 public:
  /// Both rates from `lowest_rate` to `highest_rate`. Throws std::invalid_argument otherwise: `supports` tells first.
  /// The first object of a pair of rates computes its coefficients (under 2 ms); later ones share them.
  Resampler(std::uint32_t from, std::uint32_t to);

  static constexpr std::uint32_t lowest_rate = 8000;
  static constexpr std::uint32_t highest_rate = 192000;
  static bool supports(std::uint32_t from, std::uint32_t to);

  /// Appends what `in` yields to `out`.
  void convert(std::span<std::int16_t const> in, std::vector<std::int16_t>& out);

  /// The same into memory of the caller, at least `max_output(in.size())` long. Returns the number of samples written.
  std::size_t convert(std::span<std::int16_t const> in, std::span<std::int16_t> out);

  /// Most samples that `in` input samples can yield.
  std::size_t max_output(std::size_t in) const;

  /// Appends the end of the stream that the filter still holds, and starts afresh.
  void flush(std::vector<std::int16_t>& out);

  /// Forgets the stream: the next sample is the first.
  void reset();

  /// How far the output runs behind the input: 1.5 ms to or from the telephone rate, 0 between equal rates.
  std::chrono::microseconds delay() const;

 private:
  std::shared_ptr<FilterBank const> bank_;
  std::chrono::microseconds delay_{};
  std::vector<std::int16_t> history_;  // the newest taps-1 samples, oldest first
  std::size_t ahead_ = 0;              // input samples to go before the next output is due
  std::size_t phase_ = 0;              // its position between two input samples, in units of 1 / bank phases
};

}  // namespace media
