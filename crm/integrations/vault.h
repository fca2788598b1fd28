#pragma once
// Secrets of tenants in the database: each tenant has data keys of its own, wrapped by a master key that is only in the
// process's settings. A stolen database gives nothing away, and a tenant whose keys are deleted is forgotten.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "crm/integrations/envelope.h"
#include "crm/integrations/legacy_secret.h"
#include "crm/pg/session.h"

namespace crm {

/// One that wraps, and older ones that still unwrap. Their ids are made from the keys themselves.
class MasterKeys {
 public:
  /// From INTEGRATION_ENCRYPTION_KEY and …_PREVIOUS. Fault::refused when the first is not set or one cannot be read.
  static base::Result<MasterKeys> read(config::Vault const& settings);

  VaultKey const& primary() const { return keys_.front(); }
  VaultKey const* find(std::string_view id) const;

 private:
  std::vector<VaultKey> keys_;
};

/// What rewrap() did.
struct Rewrapped {
  int done = 0;
  int unknown = 0;                      ///< Wrapped by a master key that we do not have.
  std::vector<base::TenantId> tenants;  ///< Whose keys were wrapped, each once.
};

/// Whatever prevents a secret from being opened, the fault is the same and says nothing (Fault::refused); faults of the
/// database stay what they are. Holds keys only, so it may be used on any thread, with a session of that thread.
class Vault {
 public:
  explicit Vault(MasterKeys masters, std::optional<LegacyKey> legacy = {})
      : masters_{std::move(masters)}, legacy_{std::move(legacy)} {}

  /// With the newest key of the tenant, which is made when there is none. Fault::not_found: no such tenant.
  base::Async<base::Result<std::string>> seal(pg::Session& session, SecretPlace place, base::Secret secret);
  /// What seal() gave; also the legacy format when there is a passphrase for it: write that anew.
  base::Async<base::Result<base::Secret>> reveal(pg::Session& session, SecretPlace place, std::string stored);
  /// After a change of the master key: wraps every data key with the primary one. The secrets themselves stay as they
  /// are. Safe to repeat and beside others.
  base::Async<base::Result<Rewrapped>> rewrap(pg::Session& session);

 private:
  base::Async<base::Result<VaultKey>> sealing_key(pg::Session& session, base::TenantId tenant);

  MasterKeys masters_;
  std::optional<LegacyKey> legacy_;
};

}  // namespace crm
