#pragma once
// How one secret is written down: v1.<key id>.<nonce>.<ciphertext and tag>, the last two base64url. AES-256-GCM, a new
// random 96-bit nonce each time; where the secret belongs is authenticated with it, so that a ciphertext that was
// copied to another row, column or tenant cannot be opened. Pure.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/ids.h"
#include "gateway/base/result.h"
#include "gateway/base/secret.h"

namespace crm {

inline constexpr std::size_t vault_key_bytes = 32;
inline constexpr std::size_t max_secret_bytes = 64 * 1024;

struct VaultKey {
  std::string id;      ///< Stands in the envelope; letters, digits, '_' and '-'.
  base::Secret bytes;  ///< 32.
};
VaultKey new_vault_key(std::string id);

/// The one column in which a secret may stand.
struct SecretPlace {
  base::TenantId tenant;
  std::string table;
  std::string row;
  std::string column;
};

/// Fault::too_large beyond max_secret_bytes.
base::Result<std::string> seal(VaultKey const& key, SecretPlace const& place, base::Secret const& secret);

/// The id of the key that an envelope asks for; nothing when the text is none.
std::optional<std::string> key_id_of(std::string_view envelope);

/// Fault::refused, always with the same words, whatever is wrong.
base::Result<base::Secret> open(VaultKey const& key, SecretPlace const& place, std::string_view envelope);

/// That error.
std::unexpected<base::Error> cannot_open();

}  // namespace crm
