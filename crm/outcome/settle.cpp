#include "crm/outcome/settle.h"

#include <nlohmann/json.hpp>

#include "crm/model/phone_number.h"
#include "crm/outbox/enqueue.h"
#include "crm/outcome/derive_outcome.h"
#include "crm/outcome/settle_store.h"
#include "crm/pg/storable_text.h"
#include "crm/store/calls.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

/// An appointment that stands in the calendar was booked, even if the record lost the answer. Nobody counts on one that
/// the caller has not heard.
CallOutcome with_booking(CallOutcome outcome, KnownCall const& known) {
  if (!known.booked) return outcome;
  if (outcome.category < OutcomeCategory::cancelled) {
    outcome.category = OutcomeCategory::appointment_booked;
    outcome.confidence = 0.95;
    outcome.reason = "An appointment was booked in the call.";
    outcome.appointment_id = known.booked;
  }
  if (!known.booking_was_heard && !outcome.follow_up && outcome.appointment_id == known.booked) {
    outcome.follow_up = true;
    outcome.follow_up_reason = "The appointment is not confirmed: the caller may not have heard it.";
  }
  return outcome;
}

nlohmann::json optional(std::optional<std::string> const& text) {
  return text ? nlohmann::json(pg::storable_text(*text)) : nlohmann::json(nullptr);
}

std::string call_data(CallRecord const& call, Settlement const& settled) {
  auto const& outcome = settled.outcome;
  nlohmann::json data{
      {"call_sid", call.call_sid.text()},
      {"direction", to_string(call.direction)},
      {"from", pg::storable_text(call.from)},
      {"to", pg::storable_text(call.to)},
      {"status", to_string(call.status)},
      {"ending", optional(call.ending)},
      {"started_at", base::iso8601(call.started_at)},
      {"ended_at", call.ended_at ? nlohmann::json(base::iso8601(*call.ended_at)) : nlohmann::json(nullptr)},
      {"duration_ms", call.duration_ms ? nlohmann::json(*call.duration_ms) : nlohmann::json(nullptr)},
      {"conversation_id", optional(call.conversation_id)},
      {"contact_match", to_string(settled.match)},
      {"outcome",
       {{"category", to_string(outcome.category)},
        {"confidence", outcome.confidence},
        {"reason", outcome.reason},
        {"follow_up", outcome.follow_up},
        {"follow_up_reason", outcome.follow_up_reason},
        {"confirmation_number", optional(settled.dictated_number ? settled.dictated_number : settled.caller_number)}}}};
  return data.dump();
}

std::string contact_data(LearnedContact const& learned) {
  return nlohmann::json{
      {"full_name", learned.name}, {"phone", learned.phone}, {"email", learned.email}, {"source", "call"}}
      .dump();
}

Async<Result<>> keep_missed(pg::Session& session, EventToTell event, Settlement const& settlement,
                            std::vector<MissedRequest> const& missed, bool is_to_be_told) {
  event.event = "message.taken";
  for (auto const& each : missed) {
    event.occasion = "note_" + settlement.call.text() + "_" + std::to_string(each.ordinal);
    auto const put = co_await put_missed(session, settlement, each, event.occasion);
    if (!put) co_return std::unexpected{put.error()};
    if (!*put || !is_to_be_told) continue;
    auto const number = settlement.dictated_number ? settlement.dictated_number : settlement.caller_number;
    nlohmann::json const data{{"message",
                               {{"id", event.occasion},
                                {"body", each.body},
                                {"urgent", each.urgent},
                                {"name", each.name},
                                {"phone", number.value_or("")}}}};
    event.data_json = data.dump();
    auto const told = co_await enqueue_event(session, event);
    if (!told) co_return told;
  }
  co_return Result<>{};
}

/// Everything that others must hear, in its order.
Async<Result<>> tell(pg::Session& session, CallRecord const& call, Settlement const& settlement, KnownCall const& known,
                     LearnedContact const& learned, std::vector<ToolFact> const& tools, bool contact_is_new) {
  EventToTell event{.event = "contact.created",
                    .tenant = settlement.tenant,
                    .call = settlement.call,
                    .contact = settlement.contact,
                    .appointment = settlement.outcome.appointment_id,
                    .data_json = contact_data(learned)};
  if (contact_is_new && known.is_to_be_told) {
    event.occasion = settlement.contact->text();
    auto const told = co_await enqueue_event(session, event);
    if (!told) co_return told;
  }
  auto const missed = missed_requests(tools, known.booked.has_value());
  auto const kept = co_await keep_missed(session, event, settlement, missed, known.is_to_be_told);
  if (!kept) co_return kept;
  event.event = "call.ended";
  event.occasion = settlement.call.text();
  event.data_json = call_data(call, settlement);
  if (settlement.replaces) {
    auto const corrected = co_await correct_event(session, settlement.tenant, settlement.call, event.data_json);
    co_return corrected;
  }
  if (known.category || !known.is_to_be_told) co_return Result<>{};
  auto const told = co_await enqueue_event(session, std::move(event));
  co_return told;
}

/// Finds or creates the contact, and notes what was learned. True when the contact is new since this call.
Async<Result<bool>> settle_contact(pg::Session& session, KnownCall const& known, LearnedContact const& learned,
                                   Wall call_ended, Settlement& settlement) {
  auto decision = known.contact ? ContactDecision{known.match.value_or(ContactMatch::phone), known.contact, {}}
                                : decide_contact(known.candidates, learned);
  bool is_new = !known.contact && decision.match == ContactMatch::created;
  bool inserted = false;
  if (is_new && !decision.contact) {
    auto const made = co_await create_contact(session, settlement.tenant, learned);
    if (!made) co_return std::unexpected{made.error()};
    decision.contact = made->id;
    inserted = made->created;
    if (!inserted) {
      // Another call of the same person has just created it.
      decision.match = ContactMatch::phone;
      is_new = false;
    }
  }
  if (decision.match == ContactMatch::ambiguous) {
    auto const asked =
        co_await ask_for_review(session, settlement.tenant, settlement.call, std::move(decision.candidates));
    if (!asked) co_return std::unexpected{asked.error()};
  }
  if (decision.contact && !inserted) {
    auto const merged = co_await merge_contact(session, settlement.tenant, *decision.contact, learned, call_ended);
    if (!merged) co_return std::unexpected{merged.error()};
  }
  settlement.contact = decision.contact;
  settlement.match = decision.match;
  co_return is_new;
}

std::optional<std::string> if_any(std::string const& text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

}  // namespace

Async<Result<bool>> settle_call(pg::Session& session, CallRecord const& call) {
  auto const tools = read_tool_calls(call.tool_calls);
  auto const learned = learn_contact(call, tools);
  auto const known = co_await look_up_call(session, call, learned);
  if (!known) co_return std::unexpected{known.error()};
  if (!*known) co_return false;
  auto const& stored = **known;

  Settlement settlement{.tenant = call.tenant, .call = stored.id, .also_known = call.id};
  settlement.outcome = with_booking(derive_outcome(call), stored);
  settlement.replaces = stored.category && says_more(settlement.outcome.category, settlement.outcome.confidence,
                                                     *stored.category, stored.confidence);
  settlement.dictated_number = if_any(learned.dictated);
  if (is_e164(person_of(call))) settlement.caller_number = person_of(call);
  settlement.conversation = call.conversation_id;

  auto const ended = call.ended_at.value_or(call.started_at);
  auto const is_new = co_await settle_contact(session, stored, learned, ended, settlement);
  if (!is_new) co_return std::unexpected{is_new.error()};
  auto const put = co_await put_settlement(session, settlement);
  if (!put) co_return std::unexpected{put.error()};
  auto const told = co_await tell(session, call, settlement, stored, learned, tools, *is_new);
  if (!told) co_return std::unexpected{told.error()};
  co_return true;
}

Async<Result<bool>> close_and_settle(pg::Session& session, base::CallSid sid, CallStatus status, std::string ending,
                                     Blame blame, Wall ended_at) {
  auto const closed = co_await close_call(session, sid, status, std::move(ending), blame, ended_at);
  if (!closed || !*closed) co_return closed;
  auto const call = co_await find_call(session, sid.text());
  if (!call) co_return std::unexpected{call.error()};
  if (!*call) co_return true;
  auto const settled = co_await settle_call(session, **call);
  if (!settled) co_return settled;
  co_return true;
}

}  // namespace crm
