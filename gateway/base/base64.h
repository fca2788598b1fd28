#pragma once
// Base64 of RFC 4648, strict: a text has exactly one decoding and bytes exactly one text. The functions on spans work
// in the caller's memory and are fast enough for audio; those on strings also know the alphabet that URLs take. None
// takes the same time for all texts: not for comparing secrets.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace base {

/// Characters needed for `bytes` bytes, padding included.
constexpr std::size_t base64_size(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

/// Bytes that are enough for the decoding of `chars` characters; the exact number is up to two less.
constexpr std::size_t base64_decoded_bound(std::size_t chars) {
  return (chars + 3) / 4 * 3;
}

/// Writes the text of `bytes`, standard form, and returns its length. `out` must hold `base64_size(bytes.size())`
/// characters.
std::size_t encode_base64(std::span<std::uint8_t const> bytes, std::span<char> out);

/// Appends the text of `bytes`, standard form, to `out`.
void append_base64(std::string& out, std::span<std::uint8_t const> bytes);

/// Standard form. Returns the number of bytes written. `protocol`: a foreign character (white space too), a length that
/// is not a multiple of four, misplaced padding, or bits set that padding says do not exist. `too_large`: `out` is too
/// short. After a failure the content of `out` is unspecified.
Result<std::size_t> decode_base64(std::string_view text, std::span<std::uint8_t> out);

/// The two forms of RFC 4648: section 4 with + / and padding, section 5 with - _ and, as here, none.
enum class Base64 { standard, url };

std::string to_base64(std::string_view bytes, Base64 form = Base64::standard);
std::string to_base64(std::span<std::uint8_t const> bytes, Base64 form = Base64::standard);

/// Fault::protocol for a foreign character, wrong padding or bits that stand for no byte.
Result<std::string> from_base64(std::string_view text, Base64 form = Base64::standard);

}  // namespace base
