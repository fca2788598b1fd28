#pragma once
#include <optional>
#include <vector>

#include "crm/model/tenant.h"
#include "crm/pg/session.h"

namespace crm {

base::Async<base::Result<>> insert_tenant(pg::Session& session, Tenant tenant);
base::Async<base::Result<std::vector<Tenant>>> list_tenants(pg::Session& session);
base::Async<base::Result<std::optional<Tenant>>> find_tenant(pg::Session& session, base::TenantId id);
/// The same, and nobody else changes it or books with it until the end of the transaction.
base::Async<base::Result<std::optional<Tenant>>> lock_tenant(pg::Session& session, base::TenantId id);
/// Everything but the id. Fault::not_found when there is no such tenant.
base::Async<base::Result<>> update_tenant(pg::Session& session, Tenant tenant);
/// Whether the database knows the IANA name, spelled exactly so.
base::Async<base::Result<bool>> is_timezone(pg::Session& session, std::string name);

}  // namespace crm
