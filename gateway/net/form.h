#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"

namespace net {

/// Decoded fields of an application/x-www-form-urlencoded text in the order they came; empty values and repeated names
/// stay, because request signatures are computed over exactly these.
using Form = std::vector<std::pair<std::string, std::string>>;

struct FormLimits {
  std::size_t max_fields = 200;
  std::size_t max_bytes = 64 * 1024;  ///< Of the encoded text.
};

/// `+` is a space, `%XX` a byte; nothing is trimmed and bytes need not be UTF-8. A field without `=` has an empty
/// value, an empty piece between two `&` is no field. Fault::protocol for a broken escape, Fault::too_large beyond a
/// limit.
base::Result<Form> decode_form(std::string_view body, FormLimits const& limits = {});

/// The inverse: spaces become `+`, all but letters, digits and `-._*` become `%XX`.
std::string encode_form(Form const& form);

/// For one piece of a URL (RFC 3986): all but letters, digits and `-._~` become `%XX`.
std::string percent_encode(std::string_view text);

/// The first value of that name; an empty view when the name is missing. Borrows from `form`.
std::string_view find(Form const& form, std::string_view name);

}  // namespace net
