#include "crm/desk/correspondence.h"

#include <nlohmann/json.hpp>

#include "crm/desk/answers.h"
#include "crm/desk/booking.h"
#include "crm/desk/caller_contact.h"
#include "crm/desk/news.h"
#include "crm/model/phone_number.h"
#include "crm/outbox/enqueue.h"
#include "crm/store/contacts.h"
#include "crm/store/messages.h"
#include "crm/store/notes.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

/// Confirmations included: a call cannot be made to write to half the country.
constexpr std::int64_t most_messages_a_call = 5;

Note note_of(DeskTask const& task, std::optional<Contact> const& contact) {
  Note note;
  note.id = base::new_id("note");
  note.tenant = task.caller.tenant;
  if (contact) note.contact = contact->id;
  note.call = task.caller.call;
  note.author = task.parameters.name.value_or(contact ? contact->full_name : "");
  return note;
}

bool could_be_address(std::string_view text) {
  auto const at = text.find('@');
  return at != text.npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         text.find_first_of(" \t\r\n") == text.npos;
}

}  // namespace

Async<Result<DeskAnswer>> take_message(pg::Session& session, DeskTask const& task) {
  auto const& asked = task.parameters;
  if (!asked.message) co_return refusal("missing_message", "What may I tell them?");
  auto const dictated = dictated_in(task);
  auto const contact = co_await contact_of_caller(session, task, dictated.e164);
  if (!contact) co_return std::unexpected{contact.error()};

  auto note = note_of(task, *contact);
  note.kind = NoteKind::message;
  note.body = (asked.urgent ? "Urgent: " : "") + *asked.message;
  // A number that we cannot read may mean something to a person.
  if (asked.phone) note.body += "\nCall back: " + dictated.e164.value_or(*asked.phone);
  nlohmann::json const data{{"message",
                             {{"id", note.id},
                              {"body", *asked.message},
                              {"urgent", asked.urgent},
                              {"name", note.author},
                              {"phone", number_to_write_to(task, *contact, dictated.e164).value_or("")}}}};
  EventToTell event{.event = "message.taken",
                    .tenant = note.tenant,
                    .call = note.call,
                    .contact = note.contact,
                    .appointment = std::nullopt,
                    .data_json = data.dump(),
                    .occasion = note.id};
  auto const written = co_await insert_note(session, std::move(note));
  if (!written) co_return std::unexpected{written.error()};
  auto const told = co_await enqueue_event(session, std::move(event));
  if (!told) co_return std::unexpected{told.error()};
  co_return done("I have written that down, and it will be passed on.");
}

Async<Result<DeskAnswer>> update_contact(pg::Session& session, DeskTask const& task) {
  auto const& asked = task.parameters;
  bool const says_something = asked.name || asked.email || asked.phone || asked.notes;
  if (!says_something) co_return refusal("nothing_to_note", "What would you like me to note?");
  if (asked.email && !could_be_address(*asked.email))
    co_return refusal("invalid_email", "I did not get that address. Could you spell it for me?");
  auto const dictated = dictated_in(task);
  if (dictated.unclear) co_return *dictated.unclear;
  auto const contact = co_await contact_of_caller(session, task, dictated.e164);
  if (!contact) co_return std::unexpected{contact.error()};
  if (!*contact) co_return refusal("unknown_contact", "May I have your full name first?");
  if (dictated.e164) {
    LearnedOfContact learned{
        .tenant = task.caller.tenant, .contact = (*contact)->id, .full_name = "", .email = "", .phone = *dictated.e164};
    auto const noted = co_await learn_about_contact(session, std::move(learned));
    if (!noted) co_return std::unexpected{noted.error()};
  }
  if (asked.notes) {
    auto note = note_of(task, *contact);
    note.body = *asked.notes;
    auto const written = co_await insert_note(session, std::move(note));
    if (!written) co_return std::unexpected{written.error()};
  }
  co_return done("I have noted that.");
}

Async<Result<DeskAnswer>> send_sms(pg::Session& session, DeskTask const& task) {
  if (!task.parameters.message) co_return refusal("missing_message", "What should I send you?");
  auto const dictated = dictated_in(task);
  if (dictated.unclear) co_return *dictated.unclear;
  auto const contact = co_await find_caller(session, task);
  if (!contact) co_return std::unexpected{contact.error()};
  auto const number = number_to_write_to(task, *contact, dictated.e164);
  if (!number) co_return refusal("missing_phone", "Which number may I send it to?");
  if (!is_e164(task.caller.our_number)) co_return refusal("no_sms", "I cannot send text messages from this line.");
  auto const sent = co_await count_messages_of_call(session, task.caller.tenant, task.caller.call);
  if (!sent) co_return std::unexpected{sent.error()};
  if (*sent >= most_messages_a_call) co_return refusal("too_many", "I cannot send any more messages in this call.");

  SmsToSend sms{.tenant = task.caller.tenant,
                .from = task.caller.our_number,
                .to = *number,
                .body = *task.parameters.message,
                .call = task.caller.call,
                .contact = *contact ? std::optional{(*contact)->id} : std::nullopt,
                .appointment = std::nullopt,
                .occasion = task.key(),
                .answers_caller = true};
  auto const queued = co_await enqueue_sms(session, std::move(sms));
  if (!queued) co_return std::unexpected{queued.error()};
  if (!*queued) co_return refusal("do_not_contact", "That number asked not to get messages from us.");
  co_return done("I have sent it. It should arrive in a moment.");
}

}  // namespace crm
