#pragma once
#include "crm/desk/desk_task.h"
#include "crm/model/appointment.h"

namespace crm {

/// The tools that change what a caller has: their own appointments only, and those of this call.
base::Async<base::Result<DeskAnswer>> lookup_caller(pg::Session& session, DeskTask const& task);
/// Fault::conflict as in booking.h.
base::Async<base::Result<DeskAnswer>> reschedule_appointment(pg::Session& session, DeskTask const& task);
base::Async<base::Result<DeskAnswer>> cancel_appointment(pg::Session& session, DeskTask const& task);

/// The caller has heard the read-back: notes it and tells integrations "appointment.confirmed", once. False when the
/// appointment does not stand any more.
base::Async<base::Result<bool>> confirm_read_back(pg::Session& session, DeskTask const& task, AppointmentId id);

}  // namespace crm
