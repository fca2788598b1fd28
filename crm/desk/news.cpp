#include "crm/desk/news.h"

#include <nlohmann/json.hpp>

#include "crm/desk/local_time.h"
#include "crm/model/phone_number.h"
#include "crm/outbox/enqueue.h"
#include "crm/store/messages.h"

namespace crm {
namespace {

/// A call that moves an appointment to and fro must not fill somebody's phone.
constexpr std::int64_t most_messages_a_call = 10;

}  // namespace

using base::Async;
using base::Result;

std::string appointment_data(Appointment const& appointment, std::optional<Contact> const& contact,
                             std::string_view timezone) {
  nlohmann::json data{{"appointment",
                       {{"id", appointment.id.text()},
                        {"starts_at", base::iso8601(appointment.starts_at)},
                        {"ends_at", base::iso8601(appointment.ends_at)},
                        {"local_start", iso_local(appointment.starts_at, appointment.utc_offset)},
                        {"timezone", timezone},
                        {"service", appointment.service},
                        {"status", to_string(appointment.status)},
                        {"notes", appointment.notes},
                        {"version", appointment.version}}}};
  if (contact) {
    data["contact"] = {{"id", contact->id.text()},
                       {"name", contact->full_name},
                       {"phone", contact->phone_e164},
                       {"email", contact->email}};
  }
  return data.dump();
}

std::optional<std::string> number_to_write_to(DeskTask const& task, std::optional<Contact> const& contact,
                                              std::optional<std::string> const& dictated) {
  if (dictated) return dictated;
  if (task.knows_number()) return task.caller.person;
  bool const on_file = contact && !contact->phone_e164.empty();
  return on_file ? std::optional{contact->phone_e164} : std::nullopt;
}

Async<Result<bool>> tell(pg::Session& session, DeskTask const& task, DeskNews news) {
  auto const occasion = news.appointment.id.text() + ":v" + std::to_string(news.appointment.version);
  auto const contact = news.contact ? std::optional{news.contact->id} : news.appointment.contact;
  EventToTell event{.event = news.event,
                    .tenant = task.caller.tenant,
                    .call = task.caller.call,
                    .contact = contact,
                    .appointment = news.appointment.id.text(),
                    .data_json = appointment_data(news.appointment, news.contact, task.rules.timezone),
                    .occasion = occasion};
  auto const told = co_await enqueue_event(session, std::move(event));
  if (!told) co_return std::unexpected{told.error()};

  auto const number = number_to_write_to(task, news.contact, news.dictated);
  bool const writes = !news.sms.empty() && task.rules.confirm_by_sms && number && is_e164(task.caller.our_number);
  if (!writes) co_return false;
  auto const written = co_await count_messages_of_call(session, task.caller.tenant, task.caller.call);
  if (!written) co_return std::unexpected{written.error()};
  if (*written >= most_messages_a_call) co_return false;
  SmsToSend sms{.tenant = task.caller.tenant,
                .from = task.caller.our_number,
                .to = *number,
                .body = news.sms,
                .call = task.caller.call,
                .contact = contact,
                .appointment = news.appointment.id.text(),
                .occasion = occasion,
                .answers_caller = true};
  co_return co_await enqueue_sms(session, std::move(sms));
}

}  // namespace crm
