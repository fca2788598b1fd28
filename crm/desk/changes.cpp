#include "crm/desk/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "crm/desk/answers.h"
#include "crm/desk/caller_contact.h"
#include "crm/desk/local_time.h"
#include "crm/desk/news.h"
#include "crm/desk/slot_choice.h"
#include "crm/store/appointments.h"
#include "crm/store/contacts.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

/// Who calls, and what they have in the calendar.
struct Holdings {
  std::optional<Contact> contact;
  std::vector<Appointment> coming;
};

Async<Result<Holdings>> holdings_of(pg::Session& session, DeskTask const& task) {
  auto contact = co_await find_caller(session, task);
  if (!contact) co_return std::unexpected{contact.error()};
  AppointmentsOf whose{
      .tenant = task.caller.tenant, .contact = std::nullopt, .call = task.caller.call, .now = task.now};
  if (*contact) whose.contact = (*contact)->id;
  auto coming = co_await coming_appointments(session, std::move(whose));
  if (!coming) co_return std::unexpected{coming.error()};
  co_return Holdings{.contact = *std::move(contact), .coming = *std::move(coming)};
}

/// The one appointment that is meant, or the question which.
std::variant<Appointment, DeskAnswer> meant(Holdings const& holdings, DeskTask const& task) {
  auto const& coming = holdings.coming;
  if (auto const& id = task.parameters.appointment_id) {
    auto const found = std::ranges::find_if(coming, [&](Appointment const& one) { return one.id.text() == *id; });
    if (found != coming.end()) return *found;
    return refusal("not_found", "I cannot find that appointment.");
  }
  if (coming.empty()) return refusal("no_appointment", "I cannot find an appointment of yours.");
  if (coming.size() > 1) return which_appointment(coming);
  return coming.front();
}

/// It takes as long as it did, with whom it was.
DeskTask as_long_as(DeskTask task, Appointment const& before) {
  auto const length = std::chrono::duration_cast<std::chrono::minutes>(before.ends_at - before.starts_at);
  task.booked = {.minutes = static_cast<int>(length.count()), .calendar = before.calendar};
  return task;
}

/// The news is of whom the appointment is for; of whoever changes it only the number counts. True when a message goes
/// there.
Async<Result<bool>> tell_change(pg::Session& session, DeskTask const& task, std::string event,
                                Appointment const& appointment, std::string sms) {
  DeskNews news{.event = std::move(event),
                .appointment = appointment,
                .contact = std::nullopt,
                .sms = std::move(sms),
                .dictated = std::nullopt};
  if (appointment.contact) {
    auto contact = co_await find_contact(session, appointment.tenant, *appointment.contact);
    if (!contact) co_return std::unexpected{contact.error()};
    news.contact = *std::move(contact);
  }
  auto const told = co_await tell(session, task, std::move(news));
  co_return told;
}

}  // namespace

Async<Result<DeskAnswer>> lookup_caller(pg::Session& session, DeskTask const& task) {
  auto const holdings = co_await holdings_of(session, task);
  if (!holdings) co_return std::unexpected{holdings.error()};
  std::optional<std::string> name;
  if (holdings->contact) name = holdings->contact->full_name;
  co_return caller_found(name, holdings->coming, task.rules.timezone);
}

Async<Result<DeskAnswer>> reschedule_appointment(pg::Session& session, DeskTask const& task) {
  auto const holdings = co_await holdings_of(session, task);
  if (!holdings) co_return std::unexpected{holdings.error()};
  auto const which = meant(*holdings, task);
  if (auto const* const question = std::get_if<DeskAnswer>(&which)) co_return *question;
  auto const& before = std::get<Appointment>(which);
  auto const moving = as_long_as(task, before);
  auto const choice = co_await choose_slot(session, moving, before.id.text());
  if (!choice) co_return std::unexpected{choice.error()};
  if (auto const* const refused = std::get_if<DeskAnswer>(&*choice)) co_return *refused;
  auto const& slot = std::get<Slot>(*choice);

  auto const expired = co_await drop_expired_holds(session, task.caller.tenant, task.now);
  if (!expired) co_return std::unexpected{expired.error()};
  auto const own = co_await release_holds(session, task.caller.tenant, task.caller.call);
  if (!own) co_return std::unexpected{own.error()};
  auto const version = co_await move_appointment(session, task.caller.tenant, before.id, slot.starts_at, slot.ends_at);
  if (!version) co_return std::unexpected{version.error()};
  auto after = before;
  after.starts_at = slot.starts_at;
  after.ends_at = slot.ends_at;
  after.utc_offset = slot.utc_offset;
  after.status = AppointmentStatus::unconfirmed;
  after.version = *version;

  auto sms = fmt::format("{}: your appointment has been moved to {}.", task.rules.business,
                         spoken(after.starts_at, after.utc_offset));
  auto const told = co_await tell_change(session, task, "appointment.rescheduled", after, std::move(sms));
  if (!told) co_return std::unexpected{told.error()};
  co_return rescheduled(AppointmentNews{.appointment = after, .sms_queued = *told}, before);
}

Async<Result<DeskAnswer>> cancel_appointment(pg::Session& session, DeskTask const& task) {
  auto const holdings = co_await holdings_of(session, task);
  if (!holdings) co_return std::unexpected{holdings.error()};
  auto const which = meant(*holdings, task);
  if (auto const* const question = std::get_if<DeskAnswer>(&which)) co_return *question;
  auto appointment = std::get<Appointment>(which);
  auto const version = co_await cancel_appointment(session, task.caller.tenant, appointment.id);
  if (!version) co_return std::unexpected{version.error()};
  appointment.status = AppointmentStatus::cancelled;
  appointment.version = *version;

  auto sms = fmt::format("{}: your appointment on {} is cancelled.", task.rules.business,
                         spoken(appointment.starts_at, appointment.utc_offset));
  auto const told = co_await tell_change(session, task, "appointment.cancelled", appointment, std::move(sms));
  if (!told) co_return std::unexpected{told.error()};
  co_return cancelled(AppointmentNews{.appointment = appointment, .sms_queued = *told});
}

Async<Result<bool>> confirm_read_back(pg::Session& session, DeskTask const& task, AppointmentId id) {
  auto const confirmation = co_await confirm_appointment(session, task.caller.tenant, id);
  if (!confirmation) co_return std::unexpected{confirmation.error()};
  if (!*confirmation) co_return false;
  if (!(*confirmation)->changed) co_return true;
  auto const& appointment = (*confirmation)->appointment;
  auto const told = co_await tell_change(session, task, "appointment.confirmed", appointment, "");
  if (!told) co_return std::unexpected{told.error()};
  co_return true;
}

}  // namespace crm
