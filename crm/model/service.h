#pragma once
#include <string>

#include "gateway/base/ids.h"

namespace crm {

using ServiceId = base::Id<struct ServiceIdTag>;  ///< "svc_…".

/// The calendar of whatever has no other.
inline constexpr auto main_calendar = "main";

/// Something a business offers by appointment.
struct Service {
  base::TenantId tenant;
  ServiceId id;
  std::string name;  ///< As callers say it; unique within the tenant, whatever the case.
  int minutes = 30;
  std::string calendar = main_calendar;  ///< A practitioner's, a room's: what is in one never overlaps.
  bool active = true;
};

}  // namespace crm
