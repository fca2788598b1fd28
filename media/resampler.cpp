#include "media/resampler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <stdexcept>

#include "media/filter_bank.h"

// Builds that do not vectorise at all (debug, sanitizers) need not say so.
#pragma clang diagnostic ignored "-Wpass-failed"

namespace media {
namespace {

constexpr std::size_t block = 480;      // input samples worked on at once
constexpr std::size_t most_taps = 640;  // more than 24 samples of the lowest rate, at the highest
static_assert(24 * Resampler::highest_rate / Resampler::lowest_rate + 16 <= most_taps);

// One multiply-add of eight pairs a round: without the hints the compiler spends more time on remainders than on
// samples.
std::int16_t filter(std::int16_t const* samples, std::int16_t const* coefficients, std::size_t taps) {
  [[assume(taps % 8 == 0)]];
  std::int32_t sum = 1 << (FilterBank::unity_bits - 1);
#pragma clang loop vectorize_width(8) interleave_count(1)
  for (std::size_t i = 0; i < taps; ++i) sum += std::int32_t{samples[i]} * coefficients[i];
  return static_cast<std::int16_t>(std::clamp(sum >> FilterBank::unity_bits, -32768, 32767));
}

}  // namespace

bool Resampler::supports(std::uint32_t from, std::uint32_t to) {
  return std::min(from, to) >= lowest_rate && std::max(from, to) <= highest_rate;
}

Resampler::Resampler(std::uint32_t from, std::uint32_t to) {
  if (!supports(from, to)) throw std::invalid_argument{"sample rate out of range"};
  bank_ = FilterBank::shared(from, to);
  history_.resize(bank_->taps() - 1);
  delay_ = std::chrono::microseconds{bank_->delay() * 1'000'000 / from};
}

std::size_t Resampler::max_output(std::size_t in) const {
  auto const inputs_per_round = bank_->whole_step() * bank_->phases() + bank_->phase_step();
  return (in * bank_->phases() + inputs_per_round - 1) / inputs_per_round;
}

std::size_t Resampler::convert(std::span<std::int16_t const> in, std::span<std::int16_t> out) {
  assert(out.size() >= max_output(in.size()));
  auto const& bank = *bank_;
  auto const taps = bank.taps();
  auto const phases = bank.phases();
  auto const whole_step = bank.whole_step();
  auto const phase_step = bank.phase_step();
  auto const keeps_inputs = bank.keeps_inputs();
  auto const kept = history_.size();
  auto const unfiltered = taps - 1 - bank.delay();
  std::array<std::int16_t, most_taps + block> window;  // history and new samples side by side
  auto ahead = ahead_;
  auto phase = phase_;
  auto* to = out.data();
  while (!in.empty()) {
    auto const fresh = in.first(std::min(in.size(), block));
    in = in.subspan(fresh.size());
    std::ranges::copy(history_, window.data());
    std::ranges::copy(fresh, window.data() + kept);
    while (ahead < fresh.size()) {
      auto const* samples = window.data() + ahead;
      *to++ = phase == 0 && keeps_inputs ? samples[unfiltered] : filter(samples, bank.coefficients(phase), taps);
      ahead += whole_step;
      phase += phase_step;
      if (phase >= phases) {
        phase -= phases;
        ++ahead;
      }
    }
    ahead -= fresh.size();
    std::copy_n(window.data() + fresh.size(), kept, history_.data());
  }
  ahead_ = ahead;
  phase_ = phase;
  return static_cast<std::size_t>(to - out.data());
}

void Resampler::convert(std::span<std::int16_t const> in, std::vector<std::int16_t>& out) {
  auto const start = out.size();
  out.resize(start + max_output(in.size()));
  out.resize(start + convert(in, std::span{out}.subspan(start)));
}

void Resampler::flush(std::vector<std::int16_t>& out) {
  std::array<std::int16_t, most_taps> const silence{};
  convert(std::span{silence}.first(bank_->delay()), out);
  reset();
}

void Resampler::reset() {
  std::ranges::fill(history_, std::int16_t{0});
  ahead_ = 0;
  phase_ = 0;
}

std::chrono::microseconds Resampler::delay() const {
  return delay_;
}

}  // namespace media
