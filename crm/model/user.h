#pragma once
#include <string>

#include "gateway/base/ids.h"

namespace crm {

using UserId = base::Id<struct UserIdTag>;  ///< "usr_…".

/// A person who may sign in; one e-mail address belongs to one tenant.
struct User {
  UserId id;
  base::TenantId tenant;
  std::string email;  ///< Always lower case.
  std::string role;   ///< owner, admin, agent or read-only.
};

}  // namespace crm
