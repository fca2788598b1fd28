// What a call came to, from its own record alone.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "crm/outcome/derive_outcome.h"
#include "crm/outcome/tool_facts.h"
#include "gateway/call/ending.h"

namespace {

using crm::Blame;
using crm::CallRecord;
using crm::CallStatus;
using crm::Speaker;
using gateway::Ending;

CallRecord ended(Ending ending, CallStatus status = CallStatus::completed) {
  CallRecord call;
  call.from = "+15550002222";
  call.to = "+15550001111";
  call.status = status;
  call.ending = std::string{to_string(ending)};
  call.blame = blame(ending);
  return call;
}

void says(CallRecord& call, Speaker who, std::string what) {
  crm::CallTurn turn;
  turn.role = who;
  turn.said = turn.heard = std::move(what);
  call.turns.push_back(std::move(turn));
}

void happens(CallRecord& call, std::string kind, std::string detail = "{}") {
  call.events.push_back({call.started_at, std::move(kind), std::move(detail)});
}

void asks(CallRecord& call, std::string tool, std::string result, std::string parameters = "{}") {
  crm::CallToolCall asked;
  asked.tool_call_id = "tc_" + std::to_string(call.tool_calls.size());
  asked.name = std::move(tool);
  asked.parameters_json = std::move(parameters);
  asked.is_error = !result.contains(R"("ok":true)");
  asked.result_json = std::move(result);
  call.tool_calls.push_back(std::move(asked));
}

CallRecord talk(Ending ending = Ending::caller_hung_up) {
  auto call = ended(ending);
  says(call, Speaker::agent, "Acme Dental, how can I help?");
  says(call, Speaker::caller, "Are you open on Friday?");
  says(call, Speaker::agent, "Yes, until five.");
  return call;
}

constexpr auto ok = R"({"ok":true,"appointment_id":"apt_1"})";
constexpr auto refused = R"({"ok":false,"reason":"slot_taken","say":"Offer another."})";
constexpr auto away = R"({"ok":false,"reason":"unavailable","say":"Take a message."})";

struct Case {
  std::string name;
  std::string category;
  bool follow_up;
  std::function<CallRecord()> call;
};

std::vector<Case> const cases{
    {"a booking", "appointment_booked", false,
     [] {
       auto call = talk();
       asks(call, "book_appointment", ok);
       return call;
     }},
    {"a booking whose caller was then cut off", "appointment_booked", false,
     [] {
       auto call = ended(Ending::stream_lost);
       asks(call, "book_appointment", ok);
       return call;
     }},
    {"a booking that was moved in the same call", "appointment_booked", false,
     [] {
       auto call = talk();
       asks(call, "book_appointment", ok);
       asks(call, "reschedule_appointment", ok);
       return call;
     }},
    {"a booking beside a message", "appointment_booked", true,
     [] {
       auto call = talk();
       asks(call, "book_appointment", ok);
       asks(call, "take_message", R"({"ok":true})");
       return call;
     }},
    {"an appointment moved", "rescheduled", false,
     [] {
       auto call = talk();
       asks(call, "reschedule_appointment", ok);
       return call;
     }},
    {"an appointment cancelled", "cancelled", false,
     [] {
       auto call = talk();
       asks(call, "cancel_appointment", ok);
       return call;
     }},
    {"a booking cancelled again", "cancelled", false,
     [] {
       auto call = talk();
       asks(call, "book_appointment", ok);
       asks(call, "cancel_appointment", ok);
       return call;
     }},
    {"a message", "message_taken", true,
     [] {
       auto call = talk(Ending::agent_hung_up);
       asks(call, "take_message", R"({"ok":true})");
       return call;
     }},
    {"a message that only the record has", "message_taken", true,
     [] {
       auto call = talk();
       asks(call, "take_message", away, R"({"message":"Call me."})");
       return call;
     }},
    {"a person who took over", "transferred", false,
     [] {
       auto call = talk(Ending::transferred);
       asks(call, "transfer_to_number", R"({"ok":true})");
       happens(call, "person_left", R"({"how":"completed"})");
       return call;
     }},
    {"a person called because the agent was down", "transferred", false,
     [] {
       auto call = ended(Ending::forwarded);
       happens(call, "person_left", R"({"how":"completed"})");
       return call;
     }},
    {"a person called because the agent was down, who may not have answered", "transferred", true,
     [] { return ended(Ending::forwarded); }},
    {"a voice message", "voicemail", true,
     [] {
       auto call = ended(Ending::took_voicemail);
       happens(call, "voicemail_taken");
       return call;
     }},
    {"a voice message of which the carrier has not told yet", "voicemail", true,
     [] { return ended(Ending::took_voicemail); }},
    {"a question answered", "information_given", false, [] { return talk(); }},
    {"a question answered by an agent that then said goodbye", "information_given", false,
     [] { return talk(Ending::agent_hung_up); }},
    {"a call that took too long", "information_given", true, [] { return talk(Ending::too_long); }},
    {"a booking refused", "information_given", false,
     [] {
       auto call = talk();
       asks(call, "book_appointment", refused);
       return call;
     }},
    {"a booking impossible because the database was away", "information_given", true,
     [] {
       auto call = talk();
       asks(call, "book_appointment", away);
       return call;
     }},
    {"a booking that worked at the second try", "appointment_booked", false,
     [] {
       auto call = talk();
       asks(call, "book_appointment", away);
       asks(call, "book_appointment", ok);
       return call;
     }},
    {"a transfer that did not work", "information_given", true,
     [] {
       auto call = talk();
       asks(call, "transfer_to_number", R"({"ok":true})");
       happens(call, "person_left", R"({"how":"no_answer"})");
       return call;
     }},
    {"a wrong number", "wrong_number", false,
     [] {
       auto call = ended(Ending::caller_hung_up);
       says(call, Speaker::agent, "Acme Dental, how can I help?");
       says(call, Speaker::caller, "Sorry, Wrong Number.");
       return call;
     }},
    {"a caller who said nothing", "abandoned", false,
     [] {
       auto call = ended(Ending::caller_hung_up);
       says(call, Speaker::agent, "Acme Dental, how can I help?");
       says(call, Speaker::caller, " ");
       return call;
     }},
    {"a caller who left before the greeting", "abandoned", true, [] { return ended(Ending::caller_hung_up); }},
    {"a caller who left before the answer", "abandoned", true,
     [] {
       auto call = ended(Ending::caller_hung_up);
       says(call, Speaker::agent, "Hello.");
       says(call, Speaker::caller, "Are you open on Friday?");
       return call;
     }},
    {"a caller who left while it rang", "abandoned", false,
     [] { return ended(Ending::never_answered, CallStatus::canceled); }},
    {"an agent that was down", "failed", true, [] { return ended(Ending::apologised); }},
    {"an agent that went down in the middle", "failed", true, [] { return talk(Ending::apologised); }},
    {"a stream that never came", "failed", true, [] { return ended(Ending::stream_never_came); }},
    {"a stream that broke", "failed", true, [] { return talk(Ending::stream_lost); }},
    {"a gateway that was stopped", "failed", true, [] { return talk(Ending::shut_down); }},
    {"a gateway that died", "failed", true, [] { return talk(Ending::node_lost); }},
    {"a call that the carrier failed", "failed", true,
     [] { return ended(Ending::never_answered, CallStatus::failed); }},
    {"a person who did not pick up", "failed", true,
     [] {
       auto call = ended(Ending::never_answered, CallStatus::no_answer);
       call.direction = crm::CallDirection::outbound;
       return call;
     }},
    {"an agent that gave up on silence", "other", false,
     [] {
       auto call = ended(Ending::agent_hung_up);
       says(call, Speaker::agent, "Hello? Goodbye.");
       return call;
     }},
};

class Outcome : public testing::TestWithParam<Case> {};

TEST_P(Outcome, follows_from_the_record) {
  auto const outcome = derive_outcome(GetParam().call());
  EXPECT_EQ(to_string(outcome.category), GetParam().category) << GetParam().name;
  EXPECT_EQ(outcome.follow_up, GetParam().follow_up) << GetParam().name << ": " << outcome.follow_up_reason;
  EXPECT_EQ(outcome.follow_up, !outcome.follow_up_reason.empty());
  EXPECT_FALSE(outcome.reason.empty());
  EXPECT_GT(outcome.confidence, 0);
  EXPECT_LE(outcome.confidence, 1);
}

INSTANTIATE_TEST_SUITE_P(OfACall, Outcome, testing::ValuesIn(cases), [](auto const& each) {
  auto name = each.param.name;
  for (auto& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

TEST(OutcomeCategories, are_those_of_the_schema) {
  std::ifstream file{SOURCE_ROOT "/crm/migrations/0002_outcomes.sql"};
  std::string const schema{std::istreambuf_iterator<char>{file}, {}};
  std::vector<std::string> missing;
  for (auto category = crm::OutcomeCategory::failed;;
       category = static_cast<crm::OutcomeCategory>(static_cast<int>(category) + 1)) {
    EXPECT_TRUE(schema.contains("'" + std::string{to_string(category)} + "'")) << to_string(category);
    EXPECT_EQ(crm::outcome_category_from(to_string(category)), category);
    if (category == crm::OutcomeCategory::appointment_booked) break;
  }
  EXPECT_EQ(crm::outcome_category_from("guessed"), std::nullopt);
}

TEST(OutcomeOfAnyEnding, puts_nothing_down_to_silence_that_was_a_breakdown) {
  for (auto const ending :
       {Ending::apologised, Ending::stream_never_came, Ending::stream_lost, Ending::shut_down, Ending::node_lost}) {
    auto const outcome = derive_outcome(ended(ending));
    EXPECT_EQ(outcome.category, crm::OutcomeCategory::failed) << to_string(ending);
    EXPECT_TRUE(outcome.follow_up);
  }
}

TEST(OutcomeOfABooking, names_the_appointment) {
  auto call = talk();
  asks(call, "book_appointment", ok);
  EXPECT_EQ(derive_outcome(call).appointment_id, "apt_1");
}

TEST(OutcomeOfAnything, survives_tools_that_answer_nonsense) {
  auto call = talk();
  for (auto const* text : {"", "[]", "null", R"({"ok":"yes"})", R"({"ok":true,"appointment_id":7})", "\xff", "{{{"}) {
    asks(call, "book_appointment", text, text);
    asks(call, "take_message", text, text);
  }
  (void)derive_outcome(call);
  SUCCEED();
}

TEST(OutcomeOfALostNode, is_less_sure_than_that_of_the_true_record) {
  auto const lost = derive_outcome(ended(Ending::node_lost));
  for (auto const ending : {Ending::apologised, Ending::stream_lost, Ending::caller_hung_up, Ending::agent_hung_up}) {
    auto const known = derive_outcome(ended(ending));
    EXPECT_TRUE(crm::says_more(known.category, known.confidence, lost.category, lost.confidence)) << to_string(ending);
    EXPECT_FALSE(crm::says_more(lost.category, lost.confidence, known.category, known.confidence));
  }
}

TEST(WhatToolsSay, is_trimmed_limited_and_storable) {
  crm::CallToolCall call;
  call.name = "update_contact";
  call.result_json = R"({"ok":true})";
  call.parameters_json = R"({"name":"  Ada\nByron ","email":" Ada@Example.COM ","notes":")" + std::string(9000, 'x') +
                         R"(","message":"a\u0000b"})";
  auto const fact = crm::read_tool_calls({call}).front();
  EXPECT_TRUE(fact.ok);
  EXPECT_EQ(fact.name, "Ada Byron");
  EXPECT_EQ(fact.email, "ada@example.com");
  EXPECT_EQ(fact.notes.size(), 4000U);
  EXPECT_EQ(fact.message, "a\uFFFDb");
  for (auto const* bad : {"ada", "@x", "a@", "a b@c", "a@b@c", "ä@b"}) {
    call.parameters_json = std::string{R"({"email":")"} + bad + "\"}";
    EXPECT_EQ(crm::read_tool_calls({call}).front().email, "") << bad;
  }
}

}  // namespace
