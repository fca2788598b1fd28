#include "media/level.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "media/mulaw.h"

namespace media {
namespace {

constexpr double full_scale = 32768.0;

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
  return rms_dbfs(mulaw) > speech_threshold_dbfs;
}

}  // namespace media
