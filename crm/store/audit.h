#pragma once
// What people did, per tenant, in a chain: each entry's hash covers the one before, so that none can be changed, taken
// out or put between without every later hash being wrong. What the chain cannot show is that its end was cut off:
// whoever must know keeps the newest hash elsewhere.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/pool.h"

namespace crm {

/// Something a person did. No secrets, numbers, names or addresses in any of it: ids say which.
struct AuditFact {
  base::TenantId tenant;
  std::string actor;    ///< "usr_…", or "cli:root".
  std::string action;   ///< "tenant.updated".
  std::string subject;  ///< The id of what it was done to.
  std::string detail_json = "{}";
};

struct AuditEntry {
  AuditFact fact;
  std::int64_t ordinal = 0;  ///< From 1, without gaps within a tenant.
  Wall at{};                 ///< Whole milliseconds.
  std::string hash;          ///< 64 hex digits.
};

/// SHA-256 over the hash before (empty for the first) and everything of the entry but its own hash. Pure.
std::string hash_of(std::string const& before, AuditEntry const& entry);

/// Writes the fact in the caller's transaction, which keeps the tenant's chain to itself until it ends: one that writes
/// for several tenants goes in the order of their ids. Fault::not_found: no such tenant.
base::Async<base::Result<>> append_audit(pg::Session& session, AuditFact fact);

/// The newest `limit`, newest first; of one tenant, or all.
base::Async<base::Result<std::vector<AuditEntry>>> list_audit(pg::Session& session,
                                                              std::optional<base::TenantId> tenant, int limit);

struct AuditVerdict {
  std::int64_t entries = 0;
  std::optional<std::int64_t> first_wrong;  ///< Ordinal of the first entry that does not follow from those before it.
  std::string newest_hash;                  ///< Of the last entry that is right; empty when there is none.
};
/// Reads the whole chain of a tenant, piece by piece.
base::Async<base::Result<AuditVerdict>> verify_audit(pg::Session& session, base::TenantId tenant);

/// Runs `work(Transaction&) -> Async<Result<T>>` and writes the fact in the same transaction.
template <class Work>
std::invoke_result_t<Work&, pg::Transaction&> audited(pg::Pool& pool, AuditFact fact, Work work,
                                                      base::Instant deadline) {
  auto const both = [&](pg::Transaction& transaction) -> std::invoke_result_t<Work&, pg::Transaction&> {
    auto outcome = co_await work(transaction);
    if (!outcome) co_return outcome;
    auto const noted = co_await append_audit(transaction, fact);
    if (!noted) co_return std::unexpected{noted.error()};
    co_return outcome;
  };
  auto outcome = co_await pool.transaction(both, deadline);
  co_return outcome;
}

}  // namespace crm
