#pragma once
#include <functional>

#include "crm/integrations/vault.h"
#include "crm/model/integration.h"
#include "crm/pg/pool.h"
#include "gateway/base/async.h"
#include "gateway/base/secret.h"
#include "gateway/base/time_source.h"

namespace crm {

/// Opens the sealed secret of an integration. Fault::unavailable or Fault::timed_out when it may succeed later,
/// anything else when somebody must give the secret again.
using Reveal = std::function<base::Async<base::Result<base::Secret>>(Integration integration, base::Instant deadline)>;

/// Both must outlive what it returns. An integration without a secret has an empty one.
Reveal reveal_with(Vault& vault, pg::Pool& pool);

/// Where the secret of an integration stands.
SecretPlace place_of(Integration const& integration);

}  // namespace crm
