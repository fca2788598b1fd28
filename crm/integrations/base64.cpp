#include "crm/integrations/base64.h"

#include <cstdint>

namespace crm {
namespace {

constexpr std::string_view standard_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view digits_of(Base64 form) {
  return form == Base64::standard ? standard_digits : url_digits;
}

}  // namespace

std::string encode_base64(std::string_view bytes, Base64 form) {
  auto const digits = digits_of(form);
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t window = 0;
  unsigned held = 0;
  for (char const c : bytes) {
    window = (window << 8U) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text += digits[(window >> (held - 6)) & 63U];
  }
  if (held > 0) text += digits[(window << (6 - held)) & 63U];
  while (form == Base64::standard && text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<std::string> decode_base64(std::string_view text, Base64 form) {
  if (form == Base64::standard) {
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  auto const digits = digits_of(form);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t window = 0;
  unsigned held = 0;
  for (char const c : text) {
    auto const value = digits.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    window = (window << 6U) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>((window >> held) & 0xFFU);
  }
  bool const rest_is_zero = (window & ((1U << held) - 1U)) == 0;
  if (!rest_is_zero) return std::nullopt;
  return bytes;
}

}  // namespace crm
