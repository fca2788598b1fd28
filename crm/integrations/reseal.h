#pragma once
#include <string>

#include "crm/integrations/vault.h"
#include "crm/pg/pool.h"

namespace crm {

/// What became of the secrets that were not in an envelope of the vault.
struct Resealed {
  int done = 0;        ///< In the legacy format, now in an envelope; with a dry run: would be.
  int unreadable = 0;  ///< In the legacy format, and not to be opened with this passphrase. They stay.
  int foreign = 0;     ///< In no format we know. They stay.
};

/// Writes secrets of the legacy format as envelopes, each in a transaction of its own with its audit entry: safe to
/// interrupt, to repeat and beside a gateway that runs. `vault` knows the passphrase. What it opens must be text: the
/// legacy format cannot tell by itself that the passphrase is wrong.
base::Async<base::Result<Resealed>> reseal_legacy(pg::Pool& pool, Vault& vault, bool dry_run, std::string actor,
                                                  base::Instant deadline);

}  // namespace crm
