#include "gateway/base/ids.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace base {

bool is_twilio_sid(std::string_view text, std::string_view prefix) {
  // Asked for every media message: a table, and one look at the end instead of a branch a digit.
  static constexpr auto is_no_hex = [] {
    std::array<unsigned char, 256> table{};
    table.fill(1);
    for (char const c : std::string_view{"0123456789abcdefABCDEF"}) table[static_cast<unsigned char>(c)] = 0;
    return table;
  }();
  if (text.size() != 34 || !text.starts_with(prefix)) return false;
  unsigned foreign = 0;
  for (char const c : text.substr(2)) foreign |= is_no_hex[static_cast<unsigned char>(c)];
  return foreign == 0;
}

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    auto const got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::string new_id(std::string_view prefix) {
  static constexpr char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::array<std::uint8_t, 16> raw{};
  fill_random(raw);
  auto const ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  for (int i = 0; i < 6; ++i) raw[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  std::string text{prefix};
  text += '_';
  // 128 bits as 26 groups of five; the first group holds three bits, so the text sorts like the number.
  unsigned __int128 number = 0;
  for (auto const byte : raw) number = (number << 8) | byte;
  for (int shift = 125; shift >= 0; shift -= 5) text += alphabet[static_cast<unsigned>(number >> shift) & 31U];
  return text;
}

std::string to_hex(std::span<std::uint8_t const> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto const byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string masked_phone(std::string_view e164) {
  static auto const key = [] {
    std::array<std::uint8_t, 32> bytes{};
    fill_random(bytes);
    return bytes;
  }();
  if (e164.empty()) return "none";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(e164.data()),
       e164.size(), digest.data(), &length);
  auto const tail = e164.size() > 6 ? e164.substr(e164.size() - 4) : std::string_view{};
  return "…" + std::string{tail} + " #" + to_hex(std::span{digest}.first(4));
}

}  // namespace base
