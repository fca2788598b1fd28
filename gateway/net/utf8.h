#pragma once
#include <cstdint>
#include <string_view>

namespace net {

/// Checks UTF-8 that comes in pieces, as strictly as RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF.
class Utf8Checker {
 public:
  /// False from the first byte on that no continuation can make right.
  bool take(std::string_view piece);
  /// False in the middle of a character.
  bool is_complete() const { return missing_ == 0; }

 private:
  std::uint8_t missing_ = 0;   // continuation bytes still to come
  std::uint8_t least_ = 0x80;  // what the next one may be
  std::uint8_t most_ = 0xBF;
};

inline bool is_utf8(std::string_view text) {
  Utf8Checker checker;
  return checker.take(text) && checker.is_complete();
}

}  // namespace net
