#pragma once
#include <optional>
#include <vector>

#include "crm/model/integration.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the tenant has one of that name; Fault::not_found when there is no such tenant.
base::Async<base::Result<>> insert_integration(pg::Session& session, Integration integration);
base::Async<base::Result<std::optional<Integration>>> find_integration(pg::Session& session, base::TenantId tenant,
                                                                       IntegrationId id);
/// Of one tenant or of all, by tenant and name.
base::Async<base::Result<std::vector<Integration>>> list_integrations(pg::Session& session,
                                                                      std::optional<base::TenantId> tenant);
/// False when there is no such integration.
base::Async<base::Result<bool>> set_integration_status(pg::Session& session, base::TenantId tenant, IntegrationId id,
                                                       IntegrationStatus status);

}  // namespace crm
