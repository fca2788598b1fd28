#pragma once
#include <optional>
#include <vector>

#include "crm/model/phone_number.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the number is assigned already, Fault::not_found when the tenant has no such agent.
base::Async<base::Result<>> insert_number(pg::Session& session, PhoneNumber number);
/// Of one tenant, or all; by number.
base::Async<base::Result<std::vector<PhoneNumber>>> list_numbers(pg::Session& session,
                                                                 std::optional<base::TenantId> tenant);

}  // namespace crm
