#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/desk/desk.h"
#include "crm/model/appointment.h"
#include "crm/store/slots.h"

namespace crm {

/// What the desk says, as JSON short enough for an agent to read while somebody waits. `say` is a sentence it may speak
/// as it stands; times are spelled for speech and, as `start`, for its next tool call.

DeskAnswer refusal(std::string_view reason, std::string_view say);
/// The same, and what the caller may have instead; `say` goes on to name them.
DeskAnswer refusal_with_slots(std::string_view reason, std::string_view say, std::vector<Slot> const& slots);
/// The caller has several appointments: which of them?
DeskAnswer which_appointment(std::vector<Appointment> const& appointments);
/// The database cannot be reached, or not in time. A message has been taken all the same: the call's record keeps it,
/// and its settlement makes a note of it.
DeskAnswer unavailable(std::string_view tool);

DeskAnswer slots_found(std::vector<Slot> const& slots, std::string_view timezone);
DeskAnswer slot_held(Appointment const& held, int minutes);

/// What was done with an appointment.
struct AppointmentNews {
  Appointment appointment;
  bool sms_queued = false;
};
DeskAnswer booked(AppointmentNews const& news);
DeskAnswer rescheduled(AppointmentNews const& news, Appointment const& before);
DeskAnswer cancelled(AppointmentNews const& news);

/// `name` is missing when nobody knows the caller.
DeskAnswer caller_found(std::optional<std::string> const& name, std::vector<Appointment> const& coming,
                        std::string_view timezone);
/// {"ok":true,"say":…}
DeskAnswer done(std::string_view say);

/// The answer that was kept as JSON.
DeskAnswer said_before(std::string json);
bool is_ok(DeskAnswer const& answer);

}  // namespace crm
