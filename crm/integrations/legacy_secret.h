#pragma once
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace crm {

/// The format of an earlier product: hex(16-byte IV) ":" hex(ciphertext), AES-256-CBC with PKCS#7 padding, the key made
/// by scrypt (N 16384, r 8, p 1) from a passphrase and the salt "salt". It authenticates nothing, so it is only read,
/// in order to be written anew, and every failure looks the same.
class LegacyKey {
 public:
  /// Takes some 50 ms and 16 MiB; at start-up or in a command.
  explicit LegacyKey(base::Secret const& passphrase);

  /// Fault::refused, with the same words as the vault's.
  base::Result<base::Secret> open(std::string_view text) const;

  base::Secret const& bytes() const { return bytes_; }

 private:
  base::Secret bytes_;
};

/// Has the text the form of that format?
bool is_legacy_secret(std::string_view text);

}  // namespace crm
