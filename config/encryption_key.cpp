#include "config/encryption_key.h"

#include <string>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"

namespace config {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t hex_digits = 2 * key_bytes;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

base::Result<base::Secret> from_hex(std::string_view digits) {
  std::string bytes;
  bytes.reserve(key_bytes);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int const high = hex_value(digits[i]);
    int const low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return base::fail(base::Fault::protocol, "holds a character that is no digit");
    bytes += static_cast<char>(high << 4 | low);
  }
  return base::Secret{std::move(bytes)};
}

base::Result<base::Secret> from_base64(std::string_view text) {
  auto bytes = base::from_base64(text);
  if (!bytes || bytes->size() != key_bytes) return base::fail(base::Fault::protocol, "is not base64 of 32 bytes");
  return base::Secret{std::move(*bytes)};
}

}  // namespace

base::Result<base::Secret> decode_encryption_key(std::string_view text) {
  if (text.size() == hex_digits) return from_hex(text);
  if (text.size() == base::base64_size(key_bytes)) return from_base64(text);
  return base::fail(base::Fault::protocol, "has the wrong length");
}

base::Result<std::vector<base::Secret>> decode_encryption_keys(std::string_view text) {
  std::vector<base::Secret> keys;
  while (!text.empty()) {
    auto const comma = text.find(',');
    auto key = decode_encryption_key(base::trimmed(text.substr(0, comma), " "));
    if (!key) return std::unexpected{key.error()};
    keys.push_back(std::move(*key));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return keys;
}

}  // namespace config
