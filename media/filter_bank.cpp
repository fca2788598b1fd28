#include "media/filter_bank.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>

namespace media {
namespace {

// 24 samples of the lower rate: 12 of delay, and with a Kaiser window for 60 dB a transition of +-0.075 of that rate,
// which leaves the telephone band up to 3.4 kHz alone.
constexpr double half_width = 12.0;
constexpr double stop_band_db = 60.0;
constexpr std::size_t taps_at_once = 8;  // what one vector instruction multiplies

double bessel_i0(double x) {
  double sum = 1.0;
  double term = 1.0;
  for (int k = 1; term > sum * 1e-12; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

// The continuous impulse response at `t` samples of the lower rate from its centre.
double impulse_response(double t) {
  static double const beta = 0.1102 * (stop_band_db - 8.7);  // Kaiser's formula for more than 50 dB
  static double const at_centre = bessel_i0(beta);
  if (std::abs(t) >= half_width) return 0.0;
  auto const along = t / half_width;
  auto const window = bessel_i0(beta * std::sqrt(1.0 - along * along)) / at_centre;
  auto const angle = std::numbers::pi * t;
  return std::abs(angle) < 1e-9 ? window : window * std::sin(angle) / angle;
}

// Rounds to integers whose sum is exactly 1.0; the largest coefficient takes the rest, where it matters least.
void quantise(std::span<double const> exact, std::span<std::int16_t> rounded) {
  constexpr int unity = 1 << FilterBank::unity_bits;
  auto const sum = std::accumulate(exact.begin(), exact.end(), 0.0);
  int rest = unity;
  int absolute = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    rounded[i] = static_cast<std::int16_t>(std::lround(exact[i] / sum * unity));
    rest -= rounded[i];
    absolute += std::abs(rounded[i]);
  }
  auto const largest = std::ranges::max_element(rounded, {}, [](int c) { return std::abs(c); });
  *largest = static_cast<std::int16_t>(*largest + rest);
  assert(absolute + std::abs(rest) < 65535 && "a sum over full-scale samples must fit into 32 bits");
}

}  // namespace

FilterBank::FilterBank(std::uint32_t from, std::uint32_t to) {
  auto const divisor = std::gcd(from, to);
  phases_ = to / divisor;
  whole_step_ = from / to;
  phase_step_ = from / divisor % phases_;
  keeps_inputs_ = from <= to;
  if (from == to) {
    delay_ = 0;
    taps_ = 1;
    coefficients_ = {1 << unity_bits};
    return;
  }
  auto const narrowing = std::min(1.0, static_cast<double>(to) / from);  // lower-rate samples per input sample
  delay_ = static_cast<std::size_t>(std::ceil(half_width / narrowing));
  auto const used = 2 * delay_;
  taps_ = (used + taps_at_once - 1) / taps_at_once * taps_at_once;
  coefficients_.resize(phases_ * taps_);
  std::vector<double> exact(taps_);
  for (std::size_t phase = 0; phase < phases_; ++phase) {
    auto const newest = static_cast<double>(phase) / static_cast<double>(phases_) - static_cast<double>(delay_);
    for (std::size_t age = 0; age < used; ++age) {
      exact[taps_ - 1 - age] = impulse_response((newest + static_cast<double>(age)) * narrowing);
    }
    quantise(exact, std::span{coefficients_}.subspan(phase * taps_, taps_));
  }
}

std::shared_ptr<FilterBank const> FilterBank::shared(std::uint32_t from, std::uint32_t to) {
  static constexpr std::array spoken{8000U, 16000U, 22050U, 24000U, 44100U, 48000U};
  auto const is_spoken = [](std::uint32_t rate) { return std::ranges::find(spoken, rate) != spoken.end(); };
  if (!is_spoken(from) || !is_spoken(to)) return std::make_shared<FilterBank const>(from, to);
  static std::mutex guard;
  static std::map<std::pair<std::uint32_t, std::uint32_t>, std::shared_ptr<FilterBank const>> banks;
  std::scoped_lock const lock{guard};
  auto& bank = banks[{from, to}];
  if (!bank) bank = std::make_shared<FilterBank const>(from, to);
  return bank;
}

}  // namespace media
