#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/service.h"
#include "crm/pg/session.h"

namespace crm {

/// What somebody wants to be different about a service; what is missing stays.
struct ServiceChanges {
  std::optional<std::string> name;
  std::optional<int> minutes;
  std::optional<std::string> calendar;
  std::optional<std::string> status;  ///< "active" or "inactive".

  bool empty() const { return !name && !minutes && !calendar && !status; }
};

/// The one place that knows what may be said of a service. Applies what is good; a line for each thing that is not.
std::vector<std::string> apply(ServiceChanges const& changes, Service& service);

/// What became of a wish to add or change a service. With faults nothing was done.
struct ServiceSetup {
  Service service;
  std::vector<std::string> faults;
};

/// Writes the service and the audit entry, in the caller's transaction. Fault::conflict when the tenant has one of that
/// name, Fault::not_found when there is no such tenant.
base::Async<base::Result<ServiceSetup>> add_service(pg::Session& session, base::TenantId tenant, ServiceChanges changes,
                                                    std::string actor);
/// The same for one that is there; Fault::not_found when it is not.
base::Async<base::Result<ServiceSetup>> change_service(pg::Session& session, ServiceId id, ServiceChanges changes,
                                                       std::string actor);

}  // namespace crm
