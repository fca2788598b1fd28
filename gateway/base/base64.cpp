#include "gateway/base/base64.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two characters at a time: the text of each 12-bit value.
struct Pair {
  char first;
  char second;
};
constexpr auto pair_of = [] {
  std::array<Pair, 4096> table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    table[value] = {alphabet[value >> 6], alphabet[value & 63]};
  }
  return table;
}();

// The value of a character already shifted to its place among four; a foreign character sets a bit above the 24.
constexpr std::uint32_t foreign = 1U << 31;
constexpr auto values_shifted_by(unsigned shift) {
  std::array<std::uint32_t, 256> table{};
  table.fill(foreign);
  for (std::uint32_t value = 0; value < 64; ++value) {
    table[static_cast<unsigned char>(alphabet[value])] = value << shift;
  }
  return table;
}
constexpr auto first_of_four = values_shifted_by(18);
constexpr auto second_of_four = values_shifted_by(12);
constexpr auto third_of_four = values_shifted_by(6);
constexpr auto fourth_of_four = values_shifted_by(0);

constexpr auto not_base64 = "not base64";

}  // namespace

std::size_t encode_base64(std::span<std::uint8_t const> bytes, std::span<char> out) {
  auto const size = base64_size(bytes.size());
  assert(out.size() >= size);
  auto const* from = bytes.data();
  auto* to = out.data();
  for (auto groups = bytes.size() / 3; groups > 0; --groups, from += 3, to += 4) {
    auto const left = pair_of[static_cast<std::size_t>(from[0] << 4 | from[1] >> 4)];
    auto const right = pair_of[static_cast<std::size_t>((from[1] & 15) << 8 | from[2])];
    to[0] = left.first;
    to[1] = left.second;
    to[2] = right.first;
    to[3] = right.second;
  }
  auto const rest = bytes.size() % 3;
  if (rest == 0) return size;
  auto const second = rest == 2 ? from[1] : std::uint8_t{0};
  auto const left = pair_of[static_cast<std::size_t>(from[0] << 4 | second >> 4)];
  to[0] = left.first;
  to[1] = left.second;
  to[2] = rest == 2 ? alphabet[static_cast<std::size_t>((second & 15) << 2)] : '=';
  to[3] = '=';
  return size;
}

void append_base64(std::string& out, std::span<std::uint8_t const> bytes) {
  auto const start = out.size();
  out.resize(start + base64_size(bytes.size()));
  encode_base64(bytes, std::span{out}.subspan(start));
}

Result<std::size_t> decode_base64(std::string_view text, std::span<std::uint8_t> out) {
  if (text.empty()) return 0;
  if (text.size() % 4 != 0) return fail(Fault::protocol, not_base64);
  std::size_t const padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  auto const size = text.size() / 4 * 3 - padding;
  if (out.size() < size) return fail(Fault::too_large, "base64 too long");

  auto const* from = reinterpret_cast<unsigned char const*>(text.data());
  auto* to = out.data();
  std::uint32_t seen = 0;  // one look at the end instead of a branch in each round
  for (auto groups = text.size() / 4 - (padding == 0 ? 0 : 1); groups > 0; --groups, from += 4, to += 3) {
    auto const group =
        first_of_four[from[0]] | second_of_four[from[1]] | third_of_four[from[2]] | fourth_of_four[from[3]];
    seen |= group;
    to[0] = static_cast<std::uint8_t>(group >> 16);
    to[1] = static_cast<std::uint8_t>(group >> 8);
    to[2] = static_cast<std::uint8_t>(group);
  }
  if (padding != 0) {
    auto const third = padding == 1 ? third_of_four[from[2]] : 0;
    auto const group = first_of_four[from[0]] | second_of_four[from[1]] | third;
    auto const unused = padding == 1 ? 0xFFU : 0xFFFFU;
    if ((group & unused) != 0) return fail(Fault::protocol, not_base64);
    seen |= group;
    to[0] = static_cast<std::uint8_t>(group >> 16);
    if (padding == 1) to[1] = static_cast<std::uint8_t>(group >> 8);
  }
  if ((seen & foreign) != 0) return fail(Fault::protocol, not_base64);
  return size;
}

std::string to_base64(std::span<std::uint8_t const> bytes, Base64 form) {
  std::string text;
  append_base64(text, bytes);
  if (form == Base64::standard) return text;
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::string to_base64(std::string_view bytes, Base64 form) {
  return to_base64({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()}, form);
}

Result<std::string> from_base64(std::string_view text, Base64 form) {
  std::string standard;
  if (form == Base64::url) {
    if (text.find_first_of("+/=") != text.npos) return fail(Fault::protocol, not_base64);
    standard = text;
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    standard.append((4 - text.size() % 4) % 4, '=');
    text = standard;
  }
  std::string bytes(base64_decoded_bound(text.size()), '\0');
  auto const size = decode_base64(text, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  if (!size) return std::unexpected{size.error()};
  bytes.resize(*size);
  return bytes;
}

}  // namespace base
