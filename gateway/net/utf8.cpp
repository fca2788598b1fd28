#include "gateway/net/utf8.h"

#include <cstring>

namespace net {
namespace {

/// How many bytes of plain ASCII `text` begins with, in steps of eight.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  return at;
}

}  // namespace

bool Utf8Checker::take(std::string_view piece) {
  for (std::size_t i = 0; i < piece.size();) {
    if (missing_ == 0) {
      i += ascii_prefix(piece.substr(i));
      if (i == piece.size()) return true;
    }
    auto const byte = static_cast<std::uint8_t>(piece[i++]);
    if (missing_ > 0) {
      if (byte < least_ || byte > most_) return false;
      --missing_;
      least_ = 0x80;
      most_ = 0xBF;
      continue;
    }
    if (byte < 0x80) continue;
    // RFC 3629, section 4: the second byte's range depends on the first.
    if (byte >= 0xC2 && byte <= 0xDF) {
      missing_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      missing_ = 2;
      if (byte == 0xE0) least_ = 0xA0;
      if (byte == 0xED) most_ = 0x9F;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      missing_ = 3;
      if (byte == 0xF0) least_ = 0x90;
      if (byte == 0xF4) most_ = 0x8F;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace net
