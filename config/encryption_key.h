#pragma once
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace config {

/// 64 hex digits or padded base64 of exactly 32 bytes -> the 32 raw bytes. Fault::protocol for anything else; the
/// detail never repeats the text.
base::Result<base::Secret> decode_encryption_key(std::string_view text);

/// Keys with commas between them, spaces around them ignored; an empty text is no key. Fails when any of them fails.
base::Result<std::vector<base::Secret>> decode_encryption_keys(std::string_view text);

}  // namespace config
