#pragma once
// G.711 mu-law <-> 16-bit linear PCM.
//
// Decoding has one right answer. For encoding, G.711 table 2a gives decision values on a 14-bit scale and programs
// differ in how a 16-bit sample meets them. Here the sample keeps all its bits, sign and magnitude apart: a magnitude
// at or above a decision value (times four) belongs to the upper interval, so +x and -x get the same interval. Sun's
// g711.c shifts negative samples first and so turns -1 into -8 when decoded; sox rounds to 14 bits and moves each
// decision value by two 16-bit steps. Over all 65,536 inputs this choice has the smallest error of the three, and it
// agrees with both of them on every sample that is a multiple of four, that is on every sample 14 bits can hold.
#include <cstdint>
#include <span>

namespace media {

/// Samples span -32124 to 32124.
std::int16_t mulaw_to_linear(std::uint8_t code);

/// Magnitudes above 32635 clip to the outermost code.
std::uint8_t linear_to_mulaw(std::int16_t sample);

/// Converts `codes.size()` samples; `samples` must hold at least as many.
void mulaw_to_linear(std::span<std::uint8_t const> codes, std::span<std::int16_t> samples);

/// Converts `samples.size()` samples; `codes` must hold at least as many.
void linear_to_mulaw(std::span<std::int16_t const> samples, std::span<std::uint8_t> codes);

}  // namespace media
