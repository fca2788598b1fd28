// A text that was not sealed with the key never opens, also not one that differs from such a text in a byte; what is
// sealed always does. The first two bytes say which byte of a good envelope is changed, and how.
#include <cstdlib>

#include "crm/integrations/envelope.h"
#include "crm/integrations/legacy_secret.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static crm::VaultKey const key = crm::new_vault_key("key_1");
  static crm::LegacyKey const legacy{base::Secret{"a passphrase"}};
  static crm::SecretPlace const place{base::TenantId{"ten_1"}, "integrations", "int_1", "secret"};
  std::string_view const text{reinterpret_cast<char const*>(data), size};

  if (crm::open(key, place, text)) std::abort();
  auto const old = legacy.open(text);  // may succeed by chance: CBC authenticates nothing
  if (old && !crm::is_legacy_secret(text)) std::abort();
  if (crm::key_id_of(text) && crm::is_legacy_secret(text)) std::abort();
  if (size > crm::max_secret_bytes) return 0;

  auto sealed = crm::seal(key, place, base::Secret{std::string{text}});
  if (!sealed) std::abort();
  auto const opened = crm::open(key, place, *sealed);
  if (!opened || opened->reveal() != text) std::abort();
  if (size < 2 || data[1] == 0) return 0;
  (*sealed)[data[0] % sealed->size()] ^= static_cast<char>(data[1]);
  if (crm::open(key, place, *sealed)) std::abort();
  return 0;
}
