#include "crm/desk/booking.h"

#include <fmt/format.h>

#include <algorithm>

#include "crm/desk/answers.h"
#include "crm/desk/caller_contact.h"
#include "crm/desk/dictated_number.h"
#include "crm/desk/local_time.h"
#include "crm/desk/news.h"
#include "crm/desk/slot_choice.h"
#include "crm/store/appointments.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr int most_slots = 6;
/// A caller with more than that is a model that has lost its way.
constexpr std::ptrdiff_t most_bookings_a_call = 5;

Appointment at(Slot const& slot, DeskTask const& task) {
  Appointment appointment;
  appointment.id = AppointmentId{base::new_id("apt")};
  appointment.tenant = task.caller.tenant;
  appointment.call = task.caller.call;
  appointment.service = task.parameters.service.value_or("");
  appointment.calendar = task.booked.calendar;
  appointment.notes = task.parameters.notes.value_or("");
  appointment.starts_at = slot.starts_at;
  appointment.ends_at = slot.ends_at;
  appointment.utc_offset = slot.utc_offset;
  appointment.request_key = task.key();
  return appointment;
}

/// What was held, by this caller or until now, is free: the exclusion constraint does not look at the clock.
Async<Result<>> clear_holds(pg::Session& session, DeskTask const& task) {
  auto const expired = co_await drop_expired_holds(session, task.caller.tenant, task.now);
  if (!expired) co_return std::unexpected{expired.error()};
  auto const own = co_await release_holds(session, task.caller.tenant, task.caller.call);
  if (!own) co_return std::unexpected{own.error()};
  co_return Result<>{};
}

bool is_at(Appointment const& appointment, NamedTime const& time) {
  if (auto const moment = moment_of(time)) return appointment.starts_at == *moment;
  auto const since_epoch = std::chrono::floor<std::chrono::seconds>(appointment.starts_at).time_since_epoch();
  return since_epoch + appointment.utc_offset == time.clock.time_since_epoch();
}

/// Who asks twice, in different words or in another call, has the one booking.
std::optional<DeskAnswer> booked_before(std::vector<Appointment> const& of_caller, DeskTask const& task) {
  auto const time = parse_time(task.parameters.start.value_or(""));
  if (!time) return std::nullopt;
  auto const found = std::ranges::find_if(of_caller, [&](Appointment const& one) { return is_at(one, *time); });
  if (found == of_caller.end()) return std::nullopt;
  return booked(AppointmentNews{.appointment = *found, .sms_queued = false});
}

SlotSearch search_for(DeskTask const& task) {
  SlotSearch search;
  search.tenant = task.caller.tenant;
  search.now = task.now;
  search.call = task.caller.call;
  search.limit = most_slots;
  search.minutes = task.booked.minutes;
  search.calendar = task.booked.calendar;
  auto const& asked = task.parameters;
  auto const from = parse_day(asked.day ? *asked.day : asked.from.value_or(""));
  if (from) search.from_day = iso_day(*from);
  if (asked.day && from) search.to_day = search.from_day;
  if (auto const to = asked.day ? std::nullopt : parse_day(asked.to.value_or(""))) search.to_day = iso_day(*to);
  return search;
}

}  // namespace

DictatedNumber dictated_in(DeskTask const& task) {
  DictatedNumber result;
  if (!task.parameters.phone) return result;
  result.e164 = dictated_number(*task.parameters.phone, task.caller.our_number);
  if (!result.e164)
    result.unclear =
        refusal("invalid_phone", "I did not get that number. Could you say it again with its country code?");
  return result;
}

Async<Result<DeskAnswer>> offer_slots(pg::Session& session, DeskTask const& task) {
  auto const slots = co_await find_slots(session, search_for(task));
  if (!slots) co_return std::unexpected{slots.error()};
  if (!slots->empty()) co_return slots_found(*slots, task.rules.timezone);
  auto wider = search_for(task);
  wider.to_day = std::nullopt;
  auto later = co_await find_slots(session, wider);
  if (!later) co_return std::unexpected{later.error()};
  if (later->empty()) later = co_await next_free_slots(session, task, std::nullopt);
  if (!later) co_return std::unexpected{later.error()};
  co_return refusal_with_slots("none_free", "Nothing is free then.", *later);
}

Async<Result<DeskAnswer>> hold_slot(pg::Session& session, DeskTask const& task) {
  auto const choice = co_await choose_slot(session, task, std::nullopt);
  if (!choice) co_return std::unexpected{choice.error()};
  if (auto const* const refused = std::get_if<DeskAnswer>(&*choice)) co_return *refused;
  auto const cleared = co_await clear_holds(session, task);
  if (!cleared) co_return std::unexpected{cleared.error()};
  auto held = at(std::get<Slot>(*choice), task);
  held.status = AppointmentStatus::held;
  held.held_until = task.now + hold_length;
  auto const inserted = co_await insert_appointment(session, held);
  if (!inserted) co_return std::unexpected{inserted.error()};
  co_return slot_held(held, static_cast<int>(hold_length.count()));
}

Async<Result<DeskAnswer>> book_appointment(pg::Session& session, DeskTask const& task) {
  auto dictated = dictated_in(task);
  if (dictated.unclear) co_return *dictated.unclear;
  auto const caller = co_await find_caller(session, task);
  if (!caller) co_return std::unexpected{caller.error()};
  AppointmentsOf whose{
      .tenant = task.caller.tenant, .contact = std::nullopt, .call = task.caller.call, .now = task.now};
  if (*caller) whose.contact = (*caller)->id;
  auto const before = co_await coming_appointments(session, std::move(whose));
  if (!before) co_return std::unexpected{before.error()};
  if (auto same = booked_before(*before, task)) {
    // The other words may say who it is for.
    auto const known = co_await contact_of_caller(session, task, dictated.e164);
    if (!known) co_return std::unexpected{known.error()};
    co_return *std::move(same);
  }
  auto const in_this_call = [&](Appointment const& one) { return one.call == task.caller.call; };
  if (std::ranges::count_if(*before, in_this_call) >= most_bookings_a_call)
    co_return refusal("too_many", "For more appointments than that, somebody will have to call you back.");

  auto const choice = co_await choose_slot(session, task, std::nullopt);
  if (!choice) co_return std::unexpected{choice.error()};
  if (auto const* const refused = std::get_if<DeskAnswer>(&*choice)) co_return *refused;
  auto const contact = co_await contact_of_caller(session, task, dictated.e164);
  if (!contact) co_return std::unexpected{contact.error()};
  auto const cleared = co_await clear_holds(session, task);
  if (!cleared) co_return std::unexpected{cleared.error()};
  auto appointment = at(std::get<Slot>(*choice), task);
  if (*contact) appointment.contact = (*contact)->id;
  auto const inserted = co_await insert_appointment(session, appointment);
  if (!inserted) co_return std::unexpected{inserted.error()};

  DeskNews news{.event = "appointment.booked",
                .appointment = appointment,
                .contact = *contact,
                .sms = fmt::format("{}: your appointment is on {}.", task.rules.business,
                                   spoken(appointment.starts_at, appointment.utc_offset)),
                .dictated = dictated.e164};
  auto const told = co_await tell(session, task, std::move(news));
  if (!told) co_return std::unexpected{told.error()};
  co_return booked(AppointmentNews{.appointment = appointment, .sms_queued = *told});
}

Async<Result<DeskAnswer>> taken_meanwhile(pg::Session& session, DeskTask const& task) {
  auto const others = co_await next_free_slots(session, task, std::nullopt);
  if (!others) co_return std::unexpected{others.error()};
  co_return refusal_with_slots("taken", "That time has just been taken.", *others);
}

}  // namespace crm
