#pragma once
// How well a voice came through.
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

namespace flow {

using Samples = std::vector<std::int16_t>;

/// soxr at its best: an independent opinion on what a change of rate should sound like.
inline Samples by_soxr(Samples const& in, double from, double to) {
  if (from == to) return in;
  constexpr double whole_band = 0.99;  // between samples of one rate nothing may be lost
  auto const type = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  auto quality = soxr_quality_spec(SOXR_VHQ, 0);
  if (to > from) quality.passband_end = whole_band;
  Samples out(static_cast<std::size_t>(static_cast<double>(in.size()) * to / from) + 1);
  std::size_t made = 0;
  auto const* error = soxr_oneshot(from, to, 1, in.data(), in.size(), nullptr, out.data(), out.size(), &made, &type,
                                   &quality, nullptr);
  if (error != nullptr) throw std::runtime_error{error};
  out.resize(made);
  return out;
}

/// By how many samples, up to 100 ms, `heard` runs behind `wanted`: where the loudest half second of one fits best.
inline std::size_t delay_between(Samples const& wanted, Samples const& heard) {
  constexpr std::size_t window = 4000;
  constexpr std::size_t longest = 800;
  if (wanted.size() < window || heard.size() < window) throw std::runtime_error{"too little was heard"};
  std::size_t loudest = 0;
  double most = -1;
  for (std::size_t at = 0; at + window <= wanted.size(); at += window / 4) {
    double energy = 0;
    for (std::size_t i = at; i < at + window; ++i) energy += static_cast<double>(wanted[i]) * wanted[i];
    if (energy > most) most = energy, loudest = at;
  }
  std::size_t best = loudest;
  std::int64_t closest = std::numeric_limits<std::int64_t>::min();
  for (std::size_t at = loudest; at + window <= heard.size() && at <= loudest + longest; ++at) {
    std::int64_t likeness = 0;
    for (std::size_t i = 0; i < window; ++i) likeness += wanted[loudest + i] * heard[at + i];
    if (likeness > closest) closest = likeness, best = at;
  }
  return best - loudest;
}

/// Signal to difference over all of `wanted` that was heard, `delay` samples later.
inline double snr_db(Samples const& wanted, Samples const& heard, std::size_t delay) {
  auto const length = std::min(wanted.size(), heard.size() - std::min(delay, heard.size()));
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < length; ++i) {
    double const difference = static_cast<double>(wanted[i]) - heard[i + delay];
    signal += static_cast<double>(wanted[i]) * wanted[i];
    noise += difference * difference;
  }
  return 10 * std::log10(signal / std::max(noise, 1.0));
}

/// How well `heard`, 8 kHz, matches `said` of another rate. The filters of a gateway may delay by parts of a sample.
inline double clarity_db(Samples const& said, double rate, Samples const& heard) {
  constexpr std::size_t parts = 64;
  auto const fine = by_soxr(by_soxr(said, rate, 8000), 8000, 8000.0 * parts);
  auto const part = [&fine](std::size_t first) {
    Samples samples;
    for (auto at = first; at < fine.size(); at += parts) samples.push_back(fine[at]);
    return samples;
  };
  auto const whole = delay_between(part(0), heard);
  double best = -100;
  for (std::size_t first = 0; first < parts; ++first) {
    auto const wanted = part(first);
    for (auto delay = whole > 0 ? whole - 1 : 0; delay <= whole + 1; ++delay)
      best = std::max(best, snr_db(wanted, heard, delay));
  }
  return best;
}

}  // namespace flow
