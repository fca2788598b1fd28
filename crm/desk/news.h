#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "crm/desk/desk_task.h"
#include "crm/model/appointment.h"
#include "crm/model/contact.h"

namespace crm {

/// Something that happened to an appointment, for all who must hear of it.
struct DeskNews {
  std::string event;  ///< "appointment.booked"
  Appointment appointment;
  std::optional<Contact> contact;
  std::string sms;  ///< To the caller; empty: none.
  std::optional<std::string>
      dictated;  ///< Where they want it, E.164; else where they call from, else their own number.
};

/// Queues the event for the tenant's integrations, and the text message when the tenant sends such and a number is
/// known, ten in a call at most; true when a message is queued.
base::Async<base::Result<bool>> tell(pg::Session& session, DeskTask const& task, DeskNews news);

/// The data of an appointment event, {"appointment": {…}, "contact": {…}}.
std::string appointment_data(Appointment const& appointment, std::optional<Contact> const& contact,
                             std::string_view timezone);

/// E.164, or nothing when there is no number to write to.
std::optional<std::string> number_to_write_to(DeskTask const& task, std::optional<Contact> const& contact,
                                              std::optional<std::string> const& dictated);

}  // namespace crm
