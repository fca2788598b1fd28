#pragma once
#include <optional>
#include <vector>

#include "crm/model/appointment.h"
#include "crm/pg/session.h"

namespace crm {

/// Fault::conflict when the time is taken, or the request_key has been used.
base::Async<base::Result<>> insert_appointment(pg::Session& session, Appointment appointment);
base::Async<base::Result<std::optional<Appointment>>> find_appointment(pg::Session& session, base::TenantId tenant,
                                                                       AppointmentId id);
/// Whose appointments somebody may hear of and change.
struct AppointmentsOf {
  base::TenantId tenant;
  std::optional<ContactId> contact;
  base::CallId call;  ///< What was booked in it counts, too.
  Wall now{};
};

/// Those that stand and are not over, by start, ten at most.
base::Async<base::Result<std::vector<Appointment>>> coming_appointments(pg::Session& session, AppointmentsOf whose);

/// To another time, where it is unconfirmed again; the new version. Fault::conflict when that time is taken,
/// Fault::not_found when it does not stand.
base::Async<base::Result<int>> move_appointment(pg::Session& session, base::TenantId tenant, AppointmentId id,
                                                Wall starts_at, Wall ends_at);
/// The new version. Fault::not_found when it does not stand.
base::Async<base::Result<int>> cancel_appointment(pg::Session& session, base::TenantId tenant, AppointmentId id);
/// A confirmed appointment; `changed` is false when it was confirmed before.
struct Confirmation {
  Appointment appointment;
  bool changed = false;
};
/// Nothing when it does not stand.
base::Async<base::Result<std::optional<Confirmation>>> confirm_appointment(pg::Session& session, base::TenantId tenant,
                                                                           AppointmentId id);

/// Gives what was booked in the call, before anybody knew for whom, to its contact.
base::Async<base::Result<>> adopt_appointments(pg::Session& session, base::TenantId tenant, base::CallId call,
                                               ContactId contact);

/// Frees what this call only holds; how many.
base::Async<base::Result<std::int64_t>> release_holds(pg::Session& session, base::TenantId tenant, base::CallId call);
/// Frees what the tenant's callers held until before `now`.
base::Async<base::Result<>> drop_expired_holds(pg::Session& session, base::TenantId tenant, Wall now);

}  // namespace crm
