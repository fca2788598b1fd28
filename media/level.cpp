#include "media/level.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "media/mulaw.h"

namespace media {
namespace {

constexpr double full_scale = 32768.0;

auto const square_of = [] {
  std::array<std::uint32_t, 256> table{};
  for (int code = 0; code < 256; ++code) {
    auto const sample = static_cast<std::int32_t>(mulaw_to_linear(static_cast<std::uint8_t>(code)));
    table[static_cast<std::size_t>(code)] = static_cast<std::uint32_t>(sample * sample);
  }
  return table;
}();

float dbfs(double amplitude) {
  if (amplitude <= 0) return silence_dbfs;
  return static_cast<float>(20.0 * std::log10(amplitude / full_scale));
}

}  // namespace

float peak_dbfs(std::span<std::uint8_t const> mulaw) {
  int peak = 0;
  for (auto const code : mulaw) peak = std::max(peak, std::abs(static_cast<int>(mulaw_to_linear(code))));
  return dbfs(peak);
}

float rms_dbfs(std::span<std::uint8_t const> mulaw) {
  if (mulaw.empty()) return silence_dbfs;
  double energy = 0;
  for (auto const code : mulaw) {
    double const sample = mulaw_to_linear(code);
    energy += sample * sample;
  }
  return dbfs(std::sqrt(energy / static_cast<double>(mulaw.size())));
}

bool sounds_like_speech(std::span<std::uint8_t const> mulaw) {
  // Asked for every caller frame: squares from a table and no logarithm.
  std::uint64_t energy = 0;
  for (auto const code : mulaw) energy += square_of[code];
  static auto const threshold = std::pow(full_scale * std::pow(10.0, speech_threshold_dbfs / 20.0), 2.0);
  return static_cast<double>(energy) > threshold * static_cast<double>(mulaw.size());
}

}  // namespace media
