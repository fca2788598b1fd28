#include "crm/integrations/vault.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "config/encryption_key.h"
#include "crm/store/tenant_keys.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

/// Says which key it is and nothing about it.
VaultKey named(base::Secret key) {
  constexpr std::string_view purpose = "switchboard master key id";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  auto const bytes = key.reveal();
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
       reinterpret_cast<std::uint8_t const*>(purpose.data()), purpose.size(), mac.data(), &length);
  return {"mk_" + base::to_hex(std::span{mac}.first(8)), std::move(key)};
}

SecretPlace place_of(base::TenantId const& tenant, std::string const& key_id) {
  return {tenant, "tenant_keys", key_id, "wrapped"};
}

Result<VaultKey> unwrap(MasterKeys const& masters, TenantKeyRow const& row) {
  auto const* const master = masters.find(row.master_id);
  if (!master) return cannot_open();
  auto bytes = open(*master, place_of(row.tenant, row.id), row.wrapped);
  if (!bytes || bytes->reveal().size() != vault_key_bytes) return cannot_open();
  return VaultKey{row.id, std::move(*bytes)};
}

Result<TenantKeyRow> wrap(VaultKey const& master, base::TenantId const& tenant, VaultKey const& key) {
  auto wrapped = seal(master, place_of(tenant, key.id), key.bytes);
  if (!wrapped) return std::unexpected{wrapped.error()};
  return TenantKeyRow{tenant, key.id, master.id, std::move(*wrapped)};
}

}  // namespace

Result<MasterKeys> MasterKeys::read(config::Vault const& settings) {
  if (settings.integration_encryption_key.empty())
    return base::fail(base::Fault::refused, "INTEGRATION_ENCRYPTION_KEY is not set");
  auto primary = config::decode_encryption_key(settings.integration_encryption_key.reveal());
  auto older = config::decode_encryption_keys(settings.integration_encryption_key_previous.reveal());
  if (!primary) return base::fail(base::Fault::refused, "INTEGRATION_ENCRYPTION_KEY " + primary.error().detail);
  if (!older) return base::fail(base::Fault::refused, "INTEGRATION_ENCRYPTION_KEY_PREVIOUS " + older.error().detail);
  MasterKeys masters;
  masters.keys_.push_back(named(std::move(*primary)));
  for (auto& key : *older) masters.keys_.push_back(named(std::move(key)));
  return masters;
}

VaultKey const* MasterKeys::find(std::string_view id) const {
  auto const found = std::ranges::find(keys_, id, &VaultKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

Async<Result<std::string>> Vault::seal(pg::Session& session, SecretPlace place, base::Secret secret) {
  auto const key = co_await sealing_key(session, place.tenant);
  if (!key) co_return std::unexpected{key.error()};
  co_return crm::seal(*key, place, secret);
}

Async<Result<base::Secret>> Vault::reveal(pg::Session& session, SecretPlace place, std::string stored) {
  auto const key_id = key_id_of(stored);
  if (!key_id) co_return legacy_ ? legacy_->open(stored) : cannot_open();
  auto const row = co_await find_tenant_key(session, place.tenant, *key_id);
  if (!row) co_return std::unexpected{row.error()};
  if (!*row) co_return cannot_open();
  auto const key = unwrap(masters_, **row);
  if (!key) co_return std::unexpected{key.error()};
  co_return open(*key, place, stored);
}

Async<Result<Rewrapped>> Vault::rewrap(pg::Session& session) {
  auto const rows = co_await tenant_keys_not_under(session, masters_.primary().id);
  if (!rows) co_return std::unexpected{rows.error()};
  Rewrapped result;
  for (auto const& row : *rows) {
    auto const key = unwrap(masters_, row);
    if (!key) {
      ++result.unknown;
      continue;
    }
    auto fresh = wrap(masters_.primary(), row.tenant, *key);
    if (!fresh) co_return std::unexpected{fresh.error()};
    auto const written = co_await rewrap_tenant_key(session, std::move(*fresh), row.wrapped);
    if (!written) co_return std::unexpected{written.error()};
    if (!*written) continue;
    ++result.done;
    // The keys come by tenant.
    if (result.tenants.empty() || result.tenants.back() != row.tenant) result.tenants.push_back(row.tenant);
  }
  co_return result;
}

/// Two that make a first key at once make two; both are good.
Async<Result<VaultKey>> Vault::sealing_key(pg::Session& session, base::TenantId tenant) {
  auto const row = co_await newest_tenant_key(session, tenant);
  if (!row) co_return std::unexpected{row.error()};
  if (*row) co_return unwrap(masters_, **row);
  auto key = new_vault_key(base::new_id("key"));
  auto wrapped = wrap(masters_.primary(), tenant, key);
  if (!wrapped) co_return std::unexpected{wrapped.error()};
  auto const kept = co_await insert_tenant_key(session, std::move(*wrapped));
  if (!kept) co_return std::unexpected{kept.error()};
  co_return key;
}

}  // namespace crm
