#pragma once
#include <optional>
#include <string>

#include "crm/model/business_hours.h"
#include "gateway/base/ids.h"

namespace crm {

/// A business whose phone we answer.
struct Tenant {
  base::TenantId id;
  std::string name;
  std::string timezone = "UTC";  ///< IANA name, "America/New_York".
  std::optional<std::string> industry;
  bool active = true;
  int max_concurrent_calls = 20;
  OpeningHours opening = OpeningHours::usual();
  int slot_minutes = 30;                           ///< How long an appointment is.
  int lead_minutes = 60;                           ///< Nobody books sooner than that.
  int booking_days = 60;                           ///< Nobody books further ahead.
  HoursOfDay calling_hours = usual_calling_hours;  ///< By the clock of whoever is called or written to.
  bool confirm_by_sms = true;
};

}  // namespace crm
