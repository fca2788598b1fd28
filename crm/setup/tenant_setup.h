#pragma once
#include "crm/pg/session.h"
#include "crm/setup/tenant_changes.h"

namespace crm {

/// What became of a wish to add or change a business. With faults nothing was done: let the transaction end without it.
struct TenantSetup {
  Tenant tenant;
  std::vector<std::string> faults;  ///< A line each, for whoever asked.
};

/// Writes a new tenant and the audit entry, in the caller's transaction. `changes` on top of what a new tenant has.
base::Async<base::Result<TenantSetup>> add_tenant(pg::Session& session, TenantChanges changes, std::string actor);

/// Changes what is given and writes the audit entry, none when nothing is different. Fault::not_found: no such tenant.
base::Async<base::Result<TenantSetup>> change_tenant(pg::Session& session, base::TenantId id, TenantChanges changes,
                                                     std::string actor);

}  // namespace crm
