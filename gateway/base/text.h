#pragma once
// UTF-8 text as it comes from outside: blanks around it, more of it than is wanted. Any bytes may come.
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace base {

/// Whether a byte goes on with a character that began before it.
constexpr bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Characters of `blanks` at both ends are left out.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  auto const first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The beginning of the text: whole characters, at most so many bytes.
constexpr std::string_view clipped(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  while (most_bytes > 0 && continues_character(text[most_bytes])) --most_bytes;
  return text.substr(0, most_bytes);
}

constexpr std::size_t characters_in(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues_character));
}

}  // namespace base
