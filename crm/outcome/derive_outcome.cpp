#include "crm/outcome/derive_outcome.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "crm/outcome/tool_facts.h"

namespace crm {
namespace {

using Category = OutcomeCategory;

/// What a record says, in the words the rules below are written in.
struct Evidence {
  explicit Evidence(CallRecord const& record)
      : call{record}, tools{read_tool_calls(record.tool_calls)}, ending{record.ending.value_or("")} {
    for (auto const& turn : record.turns) {
      bool const words = turn.heard.find_first_not_of(" \t\r\n") != std::string::npos;
      if (turn.role == Speaker::caller && words) ++caller_turns;
      if (turn.role == Speaker::agent && words) ++(caller_turns > 0 ? answers_heard : greetings_heard);
    }
  }

  ToolFact const* last_done(std::string_view tool) const {
    auto const found =
        std::find_if(tools.rbegin(), tools.rend(), [&](ToolFact const& fact) { return fact.ok && fact.tool == tool; });
    return found == tools.rend() ? nullptr : &*found;
  }
  /// It could not be done when it was asked for, and no later try did it.
  bool was_unavailable(std::string_view tool) const {
    auto const* done = last_done(tool);
    return std::ranges::any_of(tools, [&](ToolFact const& fact) {
      return fact.tool == tool && fact.unavailable && (done == nullptr || done->ordinal < fact.ordinal);
    });
  }
  bool happened(std::string_view kind) const {
    return std::ranges::find(call.events, kind, &CallEvent::kind) != call.events.end();
  }
  /// A person who was dialled did not come to the phone.
  bool person_missed() const {
    return std::ranges::any_of(call.events, [](CallEvent const& event) {
      if (event.kind == "transfer_failed") return true;
      if (event.kind != "person_left") return false;
      auto const detail = nlohmann::json::parse(event.detail_json, nullptr, /*allow_exceptions=*/false);
      return detail.is_object() && detail.contains("how") && detail["how"] != "completed";
    });
  }
  bool inbound() const { return call.direction == CallDirection::inbound; }

  CallRecord const& call;
  std::vector<ToolFact> tools;
  std::string ending;
  int caller_turns = 0;
  int greetings_heard = 0;  ///< Turns of the agent that were heard before the person had said anything,
  int answers_heard = 0;    ///< and after.
};

CallOutcome outcome(Category category, double confidence, std::string reason, std::string follow_up_reason = {}) {
  bool const follow_up = !follow_up_reason.empty();
  return {category, confidence, std::move(reason), follow_up, std::move(follow_up_reason), std::nullopt};
}

/// The last change of an appointment stands for the call; booking and then moving it is still a booking.
std::optional<CallOutcome> by_appointment(Evidence const& seen) {
  auto const* booked = seen.last_done("book_appointment");
  auto const* moved = seen.last_done("reschedule_appointment");
  auto const* cancelled = seen.last_done("cancel_appointment");
  ToolFact const* last = nullptr;
  for (auto const* each : {booked, moved, cancelled})
    if (each != nullptr && (last == nullptr || each->ordinal > last->ordinal)) last = each;
  if (last == nullptr) return std::nullopt;
  auto result = last == cancelled ? outcome(Category::cancelled, 0.95, "An appointment was cancelled in the call.")
                : booked != nullptr
                    ? outcome(Category::appointment_booked, 0.95, "An appointment was booked in the call.")
                    : outcome(Category::rescheduled, 0.95, "An appointment was moved in the call.");
  if (!last->appointment.empty()) result.appointment_id = last->appointment;
  return result;
}

std::optional<CallOutcome> by_message(Evidence const& seen) {
  if (seen.last_done("take_message") != nullptr)
    return outcome(Category::message_taken, 0.95, "The agent took a message.", "A message waits for an answer.");
  if (seen.was_unavailable("take_message"))
    return outcome(Category::message_taken, 0.8, "The agent took a message while the database was away.",
                   "A message waits for an answer.");
  return std::nullopt;
}

std::optional<CallOutcome> by_person(Evidence const& seen) {
  bool const fallback = seen.ending == "forwarded";
  if (!fallback && seen.ending != "transferred") return std::nullopt;
  std::string const reason =
      fallback ? "The agent could not be reached and a person was called instead." : "A person took over the call.";
  if (seen.happened("person_left") && !seen.person_missed()) return outcome(Category::transferred, 0.95, reason);
  if (!fallback) return outcome(Category::transferred, 0.8, reason);
  return outcome(Category::transferred, 0.5, reason,
                 "The agent was down, and it is not known whether anybody answered.");
}

std::optional<CallOutcome> by_voicemail(Evidence const& seen) {
  bool const taken = seen.happened("voicemail_taken");
  if (!taken && seen.ending != "took_voicemail") return std::nullopt;
  if (taken) return outcome(Category::voicemail, 0.95, "The caller left a voice message.", "A voice message waits.");
  // The carrier may tell of the recording after it has told of the end.
  return outcome(Category::voicemail, 0.6, "The caller was asked for a voice message.",
                 "The agent was down; there may be a voice message.");
}

struct Breakdown {
  std::string_view ending;
  double confidence;
  std::string_view reason;
  std::string_view follow_up_reason;
};
constexpr std::array breakdowns{
    Breakdown{"apologised", 0.9, "The agent could not be reached.", "The agent was down and nobody helped the caller."},
    Breakdown{"stream_never_came", 0.9, "The carrier never opened the audio stream.", "The caller could not be heard."},
    Breakdown{"stream_lost", 0.9, "The audio stream broke.", "The line broke in the middle of the call."},
    Breakdown{"shut_down", 0.9, "The gateway was stopped during the call.", "The call was cut off."},
    // Less sure than what the call's own last record would say, which may still come.
    Breakdown{"node_lost", 0.4, "The gateway that served the call was lost.", "The call was cut off."},
};

std::optional<CallOutcome> by_breakdown(Evidence const& seen) {
  for (auto const& each : breakdowns) {
    if (seen.ending == each.ending)
      return outcome(Category::failed, each.confidence, std::string{each.reason}, std::string{each.follow_up_reason});
  }
  if (seen.call.status == CallStatus::completed) return std::nullopt;
  if (!seen.inbound())
    return outcome(Category::failed, 0.9,
                   "The person was not reached: " + std::string{to_string(seen.call.status)} + ".",
                   "The person was not reached.");
  if (seen.call.status == CallStatus::failed)
    return outcome(Category::failed, 0.9, "The carrier could not complete the call.", "The caller could not be heard.");
  return outcome(Category::abandoned, 0.9, "The caller hung up before the call was answered.");
}

bool speaks_of_wrong_number(CallRecord const& call) {
  constexpr std::array phrases{"wrong number", "falsch verbunden", "verwählt", "número equivocado", "mauvais numéro"};
  return std::ranges::any_of(call.turns, [&](CallTurn const& turn) {
    if (turn.role != Speaker::caller) return false;
    auto words = turn.said;
    std::ranges::transform(words, words.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return std::ranges::any_of(phrases, [&](char const* phrase) { return words.contains(phrase); });
  });
}

CallOutcome by_conversation(Evidence const& seen) {
  constexpr int short_talk = 4;
  if (seen.caller_turns > 0 && seen.caller_turns <= short_talk && speaks_of_wrong_number(seen.call))
    return outcome(Category::wrong_number, 0.7, "The caller spoke of a wrong number.");
  if (seen.caller_turns > 0 && seen.answers_heard > 0) {
    if (seen.ending == "too_long")
      return outcome(Category::information_given, 0.5, "The call was ended because it took too long.",
                     "The call was cut off at its time limit.");
    return outcome(Category::information_given, 0.6, "The caller asked and heard the agent's answer.");
  }
  if (seen.caller_turns > 0)
    return outcome(Category::abandoned, 0.6, "The call ended before the caller heard an answer.",
                   "The caller asked for something and heard no answer.");
  if (seen.ending == "caller_hung_up" || seen.ending == "never_answered") {
    if (seen.greetings_heard == 0)
      return outcome(Category::abandoned, 0.9, "The caller hung up before hearing anything.",
                     "The caller hung up before the agent spoke.");
    return outcome(Category::abandoned, 0.8, "The caller hung up without a word.");
  }
  return outcome(Category::other, 0.5, "The caller said nothing that was understood.");
}

/// What was wanted and could not be done is never forgotten, whatever else the call came to.
void remember_what_is_owed(Evidence const& seen, CallOutcome& result) {
  if (result.follow_up) return;
  auto const owes = [&](std::string reason) {
    result.follow_up = true;
    result.follow_up_reason = std::move(reason);
  };
  if (seen.was_unavailable("book_appointment") || seen.was_unavailable("reschedule_appointment") ||
      seen.was_unavailable("cancel_appointment"))
    return owes("An appointment could not be changed because the calendar was away.");
  if (seen.was_unavailable("take_message")) return owes("A message waits for an answer.");
  if (result.category != Category::transferred && seen.person_missed())
    return owes("The caller asked for a person and none was reached.");
}

}  // namespace

CallOutcome derive_outcome(CallRecord const& call) {
  Evidence const seen{call};
  auto result = by_appointment(seen);
  // A message says that somebody must act, also beside an appointment.
  auto message = by_message(seen);
  if (result && message && seen.last_done("take_message") != nullptr) {
    result->follow_up = true;
    result->follow_up_reason = message->follow_up_reason;
  }
  if (!result) result = std::move(message);
  for (auto const rule : {by_person, by_voicemail, by_breakdown})
    if (!result) result = rule(seen);
  if (!result) result = by_conversation(seen);
  remember_what_is_owed(seen, *result);
  return *std::move(result);
}

}  // namespace crm
