#pragma once
// Test tones and how clean they came out.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

namespace media_test {

using Samples = std::vector<std::int16_t>;

inline Samples tone(double hz, std::uint32_t rate, double seconds, double amplitude = 10000) {
  Samples samples(static_cast<std::size_t>(rate * seconds));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    auto const angle = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate;
    samples[i] = static_cast<std::int16_t>(std::lround(amplitude * std::sin(angle)));
  }
  return samples;
}

/// Root mean square of the middle second of a stream of at least two, away from the filter's ends.
inline double middle_rms(std::span<std::int16_t const> samples, std::uint32_t rate) {
  double energy = 0;
  for (auto const sample : samples.subspan(rate / 2, rate)) energy += static_cast<double>(sample) * sample;
  return std::sqrt(energy / rate);
}

inline double decibels(double ratio) {
  return 20 * std::log10(ratio);
}

/// How far what is not the tone lies below the tone, over the middle second.
inline double tone_to_rest_db(std::span<std::int16_t const> samples, double hz, std::uint32_t rate) {
  double cosine = 0;
  double sine = 0;
  double energy = 0;
  auto const middle = samples.subspan(rate / 2, rate);
  for (std::size_t i = 0; i < middle.size(); ++i) {
    auto const angle = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate;
    cosine += middle[i] * std::cos(angle);
    sine += middle[i] * std::sin(angle);
    energy += static_cast<double>(middle[i]) * middle[i];
  }
  auto const tone_energy = 2 * (cosine * cosine + sine * sine) / rate;
  return 10 * std::log10(tone_energy / (energy - tone_energy));
}

/// Signal to difference over the middle second, where `heard` trails `wanted` by `delay` samples.
inline double snr_db(std::span<std::int16_t const> wanted, std::span<std::int16_t const> heard, std::size_t delay,
                     std::uint32_t rate) {
  double signal = 0;
  double noise = 0;
  for (std::size_t i = rate / 2; i < rate / 2 + rate; ++i) {
    double const want = wanted[i];
    double const difference = want - heard[i + delay];
    signal += want * want;
    noise += difference * difference;
  }
  return noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal / noise);
}

}  // namespace media_test
