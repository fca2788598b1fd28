#include "config/encryption_key.h"

#include <cstdint>
#include <string>

namespace config {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t hex_digits = 2 * key_bytes;
constexpr std::size_t base64_chars = 44;  // 32 bytes: 43 digits and one '='

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

/// Reads digits of `bits` bits each, most significant first; what is left over below a byte must be zero.
base::Result<base::Secret> decode_digits(std::string_view digits, unsigned bits, int (*value_of)(char)) {
  std::string bytes;
  bytes.reserve(key_bytes);
  std::uint32_t window = 0;
  unsigned held = 0;
  for (char const c : digits) {
    int const value = value_of(c);
    if (value < 0) return base::fail(base::Fault::protocol, "holds a character that is no digit");
    window = (window << bits) | static_cast<std::uint32_t>(value);
    held += bits;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(window >> held & 0xFF);
  }
  bool const leftover_is_zero = (window & ((1U << held) - 1U)) == 0;
  if (!leftover_is_zero) return base::fail(base::Fault::protocol, "is not canonical base64");
  return base::Secret{std::move(bytes)};
}

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

base::Result<base::Secret> decode_encryption_key(std::string_view text) {
  if (text.size() == hex_digits) return decode_digits(text, 4, hex_value);
  if (text.size() == base64_chars && text.ends_with('=')) return decode_digits(text.substr(0, 43), 6, base64_value);
  return base::fail(base::Fault::protocol, "has the wrong length");
}

base::Result<std::vector<base::Secret>> decode_encryption_keys(std::string_view text) {
  std::vector<base::Secret> keys;
  while (!text.empty()) {
    auto const comma = text.find(',');
    auto key = decode_encryption_key(trimmed(text.substr(0, comma)));
    if (!key) return std::unexpected{key.error()};
    keys.push_back(std::move(*key));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return keys;
}

}  // namespace config
