#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace crm {

/// The two alphabets of RFC 4648: `standard` with + / and padding, `url` with - _ and none.
enum class Base64 { standard, url };

std::string encode_base64(std::string_view bytes, Base64 form);

/// Nothing for a foreign character, wrong padding or bits that stand for no byte: a text has exactly one decoding and
/// bytes exactly one text. Takes time that depends on the characters: not for comparing secrets.
std::optional<std::string> decode_base64(std::string_view text, Base64 form);

}  // namespace crm
