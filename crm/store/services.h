#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/service.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the tenant has one of that name, Fault::not_found when there is no such tenant.
base::Async<base::Result<>> insert_service(pg::Session& session, Service service);
/// Everything but the ids. Fault::conflict when another one has that name, Fault::not_found when it is gone.
base::Async<base::Result<>> update_service(pg::Session& session, Service service);
/// Of one tenant, or all; by tenant and name.
base::Async<base::Result<std::vector<Service>>> list_services(pg::Session& session,
                                                              std::optional<base::TenantId> tenant);
/// Nobody else changes it before the transaction ends.
base::Async<base::Result<std::optional<Service>>> lock_service(pg::Session& session, ServiceId const& id);
/// The active one that a caller means by that name: its case and the spaces around it do not count.
base::Async<base::Result<std::optional<Service>>> service_named(pg::Session& session, base::TenantId const& tenant,
                                                                std::string const& name);

}  // namespace crm
