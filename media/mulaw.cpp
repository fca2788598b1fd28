#include "media/mulaw.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>

namespace media {
namespace {

constexpr int bias = 33 << 2;  // G.711's 33, on the 16-bit scale: makes each segment begin at a power of two
constexpr int clip = 32635;    // bias + clip = 32767, the end of the last segment

constexpr auto linear_of = [] {
  std::array<std::int16_t, 256> table{};
  for (int code = 0; code < 256; ++code) {
    int const bits = ~code & 0xFF;  // the line carries the code inverted
    int const segment = (bits >> 4) & 7;
    int const magnitude = ((((bits & 15) << 3) + bias) << segment) - bias;
    table[static_cast<std::size_t>(code)] = static_cast<std::int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
  }
  return table;
}();

// Segment by the upper eight bits of the biased magnitude: 256 bytes stay in the cache between calls, a table of all
// samples would not.
constexpr auto segment_of = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned high = 1; high < 256; ++high) table[high] = static_cast<std::uint8_t>(std::bit_width(high) - 1);
  return table;
}();

inline std::uint8_t encode(std::int16_t sample) {
  int const magnitude = sample < 0 ? -static_cast<int>(sample) : static_cast<int>(sample);
  int const biased = (magnitude > clip ? clip : magnitude) + bias;
  int const segment = segment_of[static_cast<std::size_t>(biased >> 7)];
  int const step = (biased >> (segment + 3)) & 15;
  int const sign = (sample >> 8) & 0x80;
  return static_cast<std::uint8_t>(~(sign | (segment << 4) | step));
}

}  // namespace

std::int16_t mulaw_to_linear(std::uint8_t code) {
  return linear_of[code];
}

std::uint8_t linear_to_mulaw(std::int16_t sample) {
  return encode(sample);
}

void mulaw_to_linear(std::span<std::uint8_t const> codes, std::span<std::int16_t> samples) {
  assert(samples.size() >= codes.size());
  auto* to = samples.data();
  for (auto const code : codes) *to++ = linear_of[code];
}

void linear_to_mulaw(std::span<std::int16_t const> samples, std::span<std::uint8_t> codes) {
  assert(codes.size() >= samples.size());
  auto* to = codes.data();
  for (auto const sample : samples) *to++ = encode(sample);
}

}  // namespace media
