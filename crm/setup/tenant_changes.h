#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/tenant.h"

namespace crm {

/// What somebody wants to be different about a business, as they wrote it; what is missing stays.
struct TenantChanges {
  std::optional<std::string> name;
  std::optional<std::string> industry;  ///< Empty: none.
  std::optional<std::string> timezone;
  std::optional<std::string> status;  ///< "active" or "suspended".
  std::optional<int> max_concurrent_calls;
  std::vector<std::string> opening_hours;  ///< "mon=09:00-12:00,13:00-17:00", "sat=closed": replaces the days it names.
  std::optional<int> slot_minutes;
  std::optional<int> lead_minutes;
  std::optional<int> booking_days;
  std::optional<std::string> calling_hours;  ///< "08:00-21:00".
  std::optional<bool> confirm_by_sms;

  bool empty() const;
};

/// The one place that knows what may be said of a business. Applies what is good; a line for each thing that is not,
/// fit to be shown to whoever wrote it: then nothing of the tenant may be stored.
std::vector<std::string> apply(TenantChanges const& changes, Tenant& tenant);

/// The names of what differs between two states of a tenant, as columns: "timezone", "opening_hours".
std::vector<std::string> differences(Tenant const& before, Tenant const& after);

}  // namespace crm
