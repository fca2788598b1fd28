#pragma once
// Ciphertexts where they are kept, for those who write them anew.
#include <optional>
#include <string>
#include <vector>

#include "crm/model/integration.h"
#include "crm/pg/session.h"

namespace crm {

struct StoredSecret {
  base::TenantId tenant;
  IntegrationId integration;
  std::string text;
};

/// Secrets of integrations that do not begin like an envelope, by tenant and id.
base::Async<base::Result<std::vector<StoredSecret>>> secrets_in_no_envelope(pg::Session& session);
/// The secret as it stands, and nobody changes it until the end of the transaction.
base::Async<base::Result<std::optional<StoredSecret>>> lock_secret(pg::Session& session, base::TenantId tenant,
                                                                   IntegrationId integration);
/// Fault::not_found when there is no such integration.
base::Async<base::Result<>> replace_secret(pg::Session& session, StoredSecret secret);

}  // namespace crm
