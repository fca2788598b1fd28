#pragma once
// How well a voice came through.
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
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
  soxr_error_t error = nullptr;
  std::unique_ptr<soxr, void (*)(soxr_t)> const converter{soxr_create(from, to, 1, &error, &type, &quality, nullptr),
                                                          soxr_delete};
  if (error != nullptr) throw std::runtime_error{error};
  // In small blocks: for a long one soxr grows its buffers by copying, which takes a minute under sanitizers.
  constexpr std::size_t block = 1000;
  Samples out;
  Samples piece(static_cast<std::size_t>(block * to / from) + 1);
  std::size_t at = 0;
  for (std::size_t made = 1; made > 0 || at < in.size();) {
    auto const left = std::min(block, in.size() - at);
    std::size_t taken = 0;
    soxr_process(converter.get(), left > 0 ? in.data() + at : nullptr, left, &taken, piece.data(), piece.size(), &made);
    out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
    at += taken;
  }
  return out;
}

/// Every `step`th sample from `first` on.
struct Sieve {
  Samples const& fine;
  std::size_t first;
  std::size_t step;
  std::size_t size() const { return first < fine.size() ? (fine.size() - first - 1) / step + 1 : 0; }
  std::int64_t operator[](std::size_t i) const { return fine[first + i * step]; }
};

/// By how many samples, up to 100 ms, `heard` runs behind `wanted`: where the loudest half second of one fits best.
inline std::size_t delay_between(Sieve const& wanted, Samples const& heard) {
  constexpr std::size_t window = 4000;
  constexpr std::size_t longest = 800;
  if (wanted.size() < window || heard.size() < window) throw std::runtime_error{"too little was heard"};
  std::size_t loudest = 0;
  std::int64_t most = -1;
  for (std::size_t at = 0; at + window <= wanted.size(); at += window / 4) {
    std::int64_t energy = 0;
    for (std::size_t i = at; i < at + window; ++i) energy += wanted[i] * wanted[i];
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
inline double snr_db(Sieve const& wanted, Samples const& heard, std::size_t delay) {
  auto const length = std::min(wanted.size(), heard.size() - std::min(delay, heard.size()));
  std::int64_t signal = 0;
  std::int64_t noise = 1;
  for (std::size_t i = 0; i < length; ++i) {
    auto const difference = wanted[i] - heard[i + delay];
    signal += wanted[i] * wanted[i];
    noise += difference * difference;
  }
  return 10 * std::log10(static_cast<double>(signal) / static_cast<double>(noise));
}

/// How well `heard`, 8 kHz, matches `said` of another rate. The filters of a gateway may delay by parts of a sample.
inline double clarity_db(Samples const& said, double rate, Samples const& heard) {
  constexpr std::size_t parts = 64;
  auto const fine = by_soxr(by_soxr(said, rate, 8000), 8000, 8000.0 * parts);
  auto const whole = delay_between({fine, 0, parts}, heard);
  double best = -100;
  for (std::size_t first = 0; first < parts; ++first) {
    for (auto delay = whole > 0 ? whole - 1 : 0; delay <= whole + 1; ++delay)
      best = std::max(best, snr_db({fine, first, parts}, heard, delay));
  }
  return best;
}

}  // namespace flow
