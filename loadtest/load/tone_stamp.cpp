#include "loadtest/load/tone_stamp.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "media/frame.h"
#include "media/mulaw.h"

namespace sim::load {
namespace {

constexpr std::size_t frame_samples = 160;  // at 8 kHz, as all lengths here
constexpr std::size_t symbol_samples = 4;
constexpr std::size_t call_bits = 12;
constexpr std::size_t frame_bits = 13;
constexpr std::size_t check_bits = 9;
constexpr std::size_t data_bits = call_bits + frame_bits + check_bits;
constexpr std::size_t symbols = 2 + data_bits;
static_assert(ToneStamp::calls == 1U << call_bits && ToneStamp::frames == 1U << frame_bits);
// A resampler holds back 1.5 ms of sound.
static_assert(symbols * symbol_samples + 12 <= frame_samples);

constexpr std::int16_t pulse_level = 20000;
constexpr std::int16_t bit_level = 8000;
// Half way between the level of a bit and that of a pulse, as an edge is searched for.
constexpr int pulse_threshold = (pulse_level + bit_level) / 2;
constexpr int edge_threshold = pulse_level / 2;

std::uint64_t check_of(std::uint64_t numbers) {
  return (((numbers + 1) * 0x9E3779B97F4A7C15ULL) >> 40) & ((1U << check_bits) - 1);
}

std::uint64_t bits_of(ToneStamp stamp) {
  auto const numbers = std::uint64_t{stamp.call % ToneStamp::calls} << frame_bits | stamp.frame % ToneStamp::frames;
  return numbers << check_bits | check_of(numbers);
}

std::optional<ToneStamp> stamp_from(std::uint64_t bits) {
  auto const numbers = bits >> check_bits;
  if ((bits & ((1U << check_bits) - 1)) != check_of(numbers)) return std::nullopt;
  return ToneStamp{static_cast<std::uint32_t>(numbers >> frame_bits),
                   static_cast<std::uint32_t>(numbers & (ToneStamp::frames - 1))};
}

std::int16_t level_of(std::uint64_t bits, std::size_t symbol) {
  if (symbol == 0) return pulse_level;
  if (symbol == 1) return -pulse_level;
  auto const bit = (bits >> (data_bits - 1 - (symbol - 2))) & 1;
  return bit != 0 ? bit_level : static_cast<std::int16_t>(-bit_level);
}

/// In the middle of a symbol.
int level_at(std::span<std::int16_t const> frame, std::size_t symbol, std::size_t step) {
  auto const middle = (symbol * symbol_samples + 1) * step;
  auto const count = static_cast<int>(2 * step);
  assert(count > 0);
  int sum = 0;
  for (std::size_t i = 0; i < 2 * step; ++i) sum += frame[middle + i];
  return sum / count;
}

bool begins_with_pulses(std::span<std::int16_t const> frame, std::size_t step) {
  return level_at(frame, 0, step) > pulse_threshold && level_at(frame, 1, step) < -pulse_threshold;
}

std::optional<ToneStamp> read_frame(std::span<std::int16_t const> frame, std::size_t step) {
  if (!begins_with_pulses(frame, step)) return std::nullopt;
  std::uint64_t bits = 0;
  for (std::size_t symbol = 2; symbol < symbols; ++symbol)
    bits = bits << 1 | static_cast<std::uint64_t>(level_at(frame, symbol, step) > 0);
  return stamp_from(bits);
}

}  // namespace

void append_tone(ToneStamp stamp, media::AudioFormat format, std::vector<std::uint8_t>& out) {
  auto const step = format.rate / media::telephone_rate;
  std::array<std::int16_t, frame_samples * 2> samples{};
  auto const bits = bits_of(stamp);
  for (std::size_t symbol = 0; symbol < symbols; ++symbol)
    std::fill_n(samples.begin() + static_cast<std::ptrdiff_t>(symbol * symbol_samples * step), symbol_samples * step,
                level_of(bits, symbol));
  auto const frame = std::span{samples}.first(frame_samples * step);
  auto const start = out.size();
  out.resize(start + frame.size() * media::bytes_per_sample(format.codec));
  if (format.codec == media::Codec::mulaw)
    media::linear_to_mulaw(frame, std::span{out}.subspan(start));
  else
    std::memcpy(out.data() + start, frame.data(), frame.size_bytes());
}

ToneReader::ToneReader(media::AudioFormat format)
    : format_{format}, step_{std::max<std::size_t>(format.rate / media::telephone_rate, 1)} {
  samples_.reserve(frame_samples * step_ * 4);
}

void ToneReader::take(std::span<std::uint8_t const> audio, ToneEvents& events) {
  auto const start = samples_.size();
  samples_.resize(start + audio.size() / media::bytes_per_sample(format_.codec));
  auto const fresh = std::span{samples_}.subspan(start);
  if (format_.codec == media::Codec::mulaw)
    media::mulaw_to_linear(audio, fresh);
  else
    std::memcpy(fresh.data(), audio.data(), fresh.size_bytes());
  auto const silent = std::min(skipped_, samples_.size());
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(silent));
  skipped_ -= silent;
  read(events);
}

void ToneReader::read(ToneEvents& events) {
  auto const needed = symbols * symbol_samples * step_;
  auto const whole = frame_samples * step_;
  std::size_t at = 0;
  while (samples_.size() - at >= needed) {
    auto const here = std::span<std::int16_t const>{samples_}.subspan(at);
    if (is_locked_) {
      if (auto const stamp = read_frame(here, step_)) {
        events.on_tone(*stamp);
        auto const next = at + whole;
        at = std::min(next, samples_.size());
        skipped_ = next - at;
        continue;
      }
      if (begins_with_pulses(here, step_)) events.on_damage();
      is_locked_ = false;
    }
    // The first pulse rises here or a sample aside.
    if (here[0] <= edge_threshold) {
      ++at;
      continue;
    }
    if (auto const stamp = read_frame(here, step_)) {
      is_locked_ = true;
      continue;
    }
    if (samples_.size() - at > needed && read_frame(here.subspan(1), step_)) {
      ++at;
      is_locked_ = true;
      continue;
    }
    if (begins_with_pulses(here, step_)) {
      events.on_damage();
      at += 2 * symbol_samples * step_;
    } else {
      ++at;
    }
  }
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(at));
}

std::uint32_t uncut(std::uint32_t cut, std::uint32_t modulus, std::uint32_t near) {
  auto const ahead = (cut - near) % modulus;
  if (ahead < modulus / 2) return near + ahead;
  auto const behind = modulus - ahead;
  return behind <= near ? near - behind : near + ahead;
}

}  // namespace sim::load
