#pragma once
#include <optional>
#include <vector>

#include "crm/model/user.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the e-mail address is taken, Fault::not_found when the tenant is unknown. Keeps it in lower
/// case.
base::Async<base::Result<>> insert_user(pg::Session& session, User user);
/// Of one tenant, or all.
base::Async<base::Result<std::vector<User>>> list_users(pg::Session& session, std::optional<base::TenantId> tenant);

}  // namespace crm
