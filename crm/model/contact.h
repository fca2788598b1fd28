#pragma once
#include <string>

#include "gateway/base/ids.h"

namespace crm {

using ContactId = base::Id<struct ContactIdTag>;  ///< "con_…".

/// Somebody the business knows; one a phone number and tenant.
struct Contact {
  ContactId id;
  base::TenantId tenant;
  std::string full_name;
  std::string phone_e164;
};

}  // namespace crm
