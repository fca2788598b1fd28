// What a call does with what its agent asks the desk for.
#include <gmock/gmock.h>

#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;
using Kind = AgentLegEnd::Kind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char const* booked = R"({"ok":true,"appointment_id":"apt_1"})";
constexpr char const* wanted = R"({"start":"2026-01-06T10:30:00"})";

class DeskCall : public ::testing::Test {
 protected:
  DeskCall() { call.has_desk = true; }

  /// The agent books, and then says so in a turn of `length`.
  void books() {
    call.desk.answer = {booked, false, "apt_1"};
    call.agent_calls("book_appointment", wanted);
  }
  void agent_says(std::int64_t event_id, std::string const& text, milliseconds length) {
    call.agent().events().on_agent_text(event_id, text);
    call.agent_says(event_id, length);
  }
  void agent_is_through(std::int64_t event_id) {
    call.agent().events().on_agent_turn_complete(event_id);
    call.run();
  }
  void caller_hangs_up() {
    call.stream_ends(CallerLegEnd::stopped);
    call.status(crm::CallStatus::completed);
    call.passes(seconds{3});
    ASSERT_TRUE(call.is_over());
  }
  std::string answer() { return call.conversation().answers.empty() ? "" : call.conversation().answers.back().result; }

  CallScene call;
};

TEST_F(DeskCall, hands_the_desk_what_the_agent_asks_for_and_who_is_on_the_phone) {
  call.starts();
  call.agent_calls("find_slots", R"({"day":"2026-01-06","junk":1})", "t7");
  ASSERT_EQ(call.desk.requests.size(), 1U);
  EXPECT_EQ(call.desk.requests[0].tool, "find_slots");
  EXPECT_EQ(call.desk.requests[0].tool_call_id, "t7");
  EXPECT_EQ(call.desk.requests[0].parameters_json, R"({"day":"2026-01-06"})");
  EXPECT_EQ(call.desk.callers[0].tenant.text(), "ten_1");
  EXPECT_EQ(call.desk.callers[0].call.text(), "call_1");
  EXPECT_EQ(call.desk.callers[0].person, "+15550002222");
  EXPECT_EQ(call.desk.callers[0].our_number, "+15550001111");
  EXPECT_EQ(answer(), R"({"ok":true})");
  EXPECT_FALSE(call.conversation().answers[0].is_error);
}

TEST_F(DeskCall, tells_the_agent_what_is_wrong_with_its_parameters_and_leaves_the_desk_alone) {
  call.starts();
  call.agent_calls("book_appointment", R"({"start":"tomorrow"})");
  EXPECT_THAT(call.desk.requests, IsEmpty());
  EXPECT_TRUE(call.conversation().answers.at(0).is_error);
  EXPECT_THAT(answer(), HasSubstr("invalid_parameters"));
  EXPECT_THAT(answer(), HasSubstr("start must be a date and time"));
}

TEST_F(DeskCall, knows_no_tool_that_is_not_in_the_table) {
  call.starts();
  call.agent_calls("launch_rocket", "{}", "t7");
  EXPECT_THAT(call.desk.requests, IsEmpty());
  ASSERT_EQ(call.conversation().answers.size(), 1U);
  EXPECT_EQ(call.conversation().answers[0].id, "t7");
  EXPECT_TRUE(call.conversation().answers[0].is_error);
  EXPECT_THAT(answer(), HasSubstr("unknown_tool"));
}

TEST_F(DeskCall, without_a_desk_knows_none_of_its_tools) {
  call.has_desk = false;
  call.starts();
  call.agent_calls("find_slots");
  EXPECT_THAT(answer(), HasSubstr("unknown_tool"));
}

TEST_F(DeskCall, offers_to_take_a_message_when_the_desk_does_not_answer_in_time) {
  call.desk.takes = seconds{60};
  call.starts();
  call.agent_calls("find_slots");
  call.passes(milliseconds{2500});
  EXPECT_THAT(answer(), IsEmpty());
  call.passes(milliseconds{500});
  EXPECT_THAT(answer(), HasSubstr("unavailable"));
  EXPECT_THAT(answer(), HasSubstr("take a message"));
  EXPECT_TRUE(call.conversation().answers.at(0).is_error);
}

TEST_F(DeskCall, goes_on_sounding_while_the_desk_is_slow) {
  call.desk.takes = seconds{5};
  call.starts();
  call.agent_calls("find_slots");
  call.agent_says(1, seconds{1});
  call.caller_speaks(seconds{1});
  EXPECT_GE(call.line().received(), milliseconds{1000});
  EXPECT_GE(call.conversation().heard.size(), 7900U);
  EXPECT_THAT(answer(), IsEmpty());
}

TEST_F(DeskCall, records_every_tool_that_was_answered) {
  call.desk.takes = milliseconds{400};
  call.starts();
  call.passes(seconds{1});
  call.agent_calls("find_slots", R"({"day":"2026-01-06","junk":1})", "t1");
  call.passes(milliseconds{500});
  call.agent_calls("book_appointment", "[]", "t2");
  call.agent_calls("nonsense", "{}", "t3");
  call.passes(seconds{1});
  auto const& calls = call.record().tool_calls;
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0],
            (crm::CallToolCall{"t1", "find_slots", R"({"day":"2026-01-06"})", R"({"ok":true})", false, 1000, 400}));
  EXPECT_EQ(calls[1].name, "book_appointment");
  EXPECT_EQ(calls[1].parameters_json, "{}");
  EXPECT_TRUE(calls[1].is_error);
  EXPECT_THAT(calls[1].result_json, HasSubstr("invalid_parameters"));
  EXPECT_THAT(calls[2].result_json, HasSubstr("unknown_tool"));
}

TEST_F(DeskCall, records_the_end_and_the_transfer_too) {
  call.plan_agent->transfer_numbers = {"+14155550100"};
  call.carrier.transfer_result = base::fail(base::Fault::unavailable, "");
  call.starts();
  call.agent_calls("transfer_to_number", R"({"number":"+1 415 555 0100"})", "t1");
  call.agent_calls("end_call", "{}", "t2");
  call.passes(seconds{5});
  auto const& calls = call.record().tool_calls;
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].parameters_json, R"({"transfer_number":"+14155550100"})");
  EXPECT_TRUE(calls[0].is_error);
  EXPECT_EQ(calls[1].name, "end_call");
  EXPECT_FALSE(calls[1].is_error);
}

TEST_F(DeskCall, saves_the_answer_of_a_tool_within_a_second_or_two) {
  call.starts();
  call.passes(seconds{30});
  call.agent_calls("find_slots");
  call.passes(milliseconds{1100});
  EXPECT_EQ(call.record().tool_calls.size(), 1U);
}

TEST_F(DeskCall, keeps_the_record_small_when_the_agent_is_stuck) {
  call.starts();
  for (int i = 0; i < 1000; ++i) call.agent_calls(std::string(1000, 'x'), "{}", std::string(1000, 'y'));
  caller_hangs_up();
  EXPECT_EQ(call.record().tool_calls.size(), 200U);
  EXPECT_EQ(call.record().tool_calls[0].name.size(), 64U);
  EXPECT_EQ(call.record().tool_calls[0].tool_call_id.size(), 128U);
}

TEST_F(DeskCall, goes_on_with_the_tools_of_the_process_that_died) {
  crm::CallRecord earlier;
  earlier.id = call.plan.id;
  earlier.started_at = call.time.wall() - seconds{60};
  earlier.tool_calls = {{"t1", "book_appointment", "{}", booked, false, 10, 20}};
  call.plan.earlier = earlier;
  call.starts();
  call.agent_calls("find_slots", "{}", "t2");
  caller_hangs_up();
  ASSERT_EQ(call.record().tool_calls.size(), 2U);
  EXPECT_EQ(call.record().tool_calls[0].tool_call_id, "t1");
  EXPECT_EQ(call.record().tool_calls[1].started_ms, 60'000);
}

TEST_F(DeskCall, tells_a_conversation_that_takes_over_what_has_been_booked) {
  call.starts();
  books();
  call.agent_ends(Kind::lost);
  call.passes(seconds{1});
  ASSERT_EQ(call.agents.diaries.size(), 2U);
  EXPECT_THAT(call.conversation().told.at(0), HasSubstr("apt_1"));
}

TEST_F(DeskCall, waits_a_moment_for_a_booking_under_way_when_the_caller_hangs_up) {
  call.desk.takes = milliseconds{900};
  call.starts();
  books();
  caller_hangs_up();
  ASSERT_EQ(call.record().tool_calls.size(), 1U);
  EXPECT_EQ(call.record().tool_calls[0].result_json, booked);
}

TEST_F(DeskCall, ends_though_the_desk_does_not_answer) {
  call.desk.takes = seconds{3600};
  call.starts();
  books();
  call.stream_ends(CallerLegEnd::stopped);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{5});
  EXPECT_TRUE(call.is_over());
  ASSERT_EQ(call.record().tool_calls.size(), 1U);
  EXPECT_THAT(call.record().tool_calls[0].result_json, HasSubstr("unavailable"));
}

// ---- appointments are confirmed by being heard

TEST_F(DeskCall, confirms_an_appointment_when_the_caller_has_heard_it) {
  call.starts();
  books();
  agent_says(1, "You are booked for ten thirty.", seconds{2});
  agent_is_through(1);
  call.passes(milliseconds{1900});
  EXPECT_THAT(call.desk.asked_to_confirm, IsEmpty());
  call.passes(milliseconds{200});
  EXPECT_THAT(call.desk.asked_to_confirm, ElementsAre("apt_1"));
  call.passes(seconds{2});
  EXPECT_THAT(call.events(), Contains("appointment_confirmed"));
  EXPECT_EQ(call.desk.asked_to_confirm.size(), 1U) << "once is enough";
}

TEST_F(DeskCall, confirms_though_the_agent_never_says_that_its_turn_is_over) {
  call.starts();
  books();
  agent_says(1, "You are booked for ten thirty.", seconds{2});
  call.passes(seconds{4});
  EXPECT_THAT(call.desk.asked_to_confirm, ElementsAre("apt_1"));
}

TEST_F(DeskCall, leaves_an_appointment_unconfirmed_that_was_interrupted_and_never_heard) {
  call.starts();
  books();
  agent_says(1, "You are booked for Tuesday at 10:30.", seconds{4});
  call.passes(milliseconds{500});
  call.agent_is_interrupted(1);
  agent_says(2, "All right, goodbye!", seconds{1});
  call.passes(seconds{3});
  caller_hangs_up();
  EXPECT_THAT(call.desk.asked_to_confirm, IsEmpty());
  EXPECT_THAT(call.events(), Not(Contains("appointment_confirmed")));
}

TEST_F(DeskCall, confirms_what_was_interrupted_only_after_the_time) {
  call.starts();
  books();
  agent_says(1, "Tuesday at 10:30. Is there anything else that I can do for you today?", seconds{6});
  call.passes(seconds{4});
  call.agent_is_interrupted(1);
  call.passes(seconds{2});
  EXPECT_THAT(call.desk.asked_to_confirm, ElementsAre("apt_1"));
}

TEST_F(DeskCall, confirms_what_was_heard_in_the_last_words_before_the_record_is_closed) {
  call.starts();
  books();
  agent_says(1, "You are booked for ten thirty. Goodbye!", seconds{2});
  call.agent_ends(Kind::finished);
  call.passes(seconds{10});
  ASSERT_TRUE(call.is_over());
  EXPECT_THAT(call.desk.asked_to_confirm, ElementsAre("apt_1"));
  EXPECT_THAT(call.events(), Contains("appointment_confirmed"));
}

TEST_F(DeskCall, confirms_again_what_could_not_be_noted_at_once) {
  call.desk.confirms = false;
  call.starts();
  books();
  agent_says(1, "You are booked for ten thirty.", seconds{1});
  call.passes(seconds{4});
  EXPECT_EQ(call.desk.asked_to_confirm.size(), 1U);
  call.desk.confirms = true;
  call.passes(seconds{5});
  EXPECT_EQ(call.desk.asked_to_confirm.size(), 2U);
  EXPECT_THAT(call.events(), Contains("appointment_confirmed"));
}

TEST_F(DeskCall, stops_asking_for_a_confirmation_that_is_refused) {
  call.desk.confirms = false;
  call.starts();
  books();
  agent_says(1, "You are booked for ten thirty.", seconds{1});
  call.passes(seconds{60});
  EXPECT_EQ(call.desk.asked_to_confirm.size(), 3U);
  caller_hangs_up();
  EXPECT_EQ(call.desk.asked_to_confirm.size(), 3U);
}

// ---- the end

TEST_F(DeskCall, frees_what_was_only_held_when_it_is_over) {
  call.starts();
  call.agent_calls("hold_slot", wanted);
  EXPECT_EQ(call.desk.released, 0);
  caller_hangs_up();
  EXPECT_EQ(call.desk.released, 1);
}

TEST_F(DeskCall, does_not_trouble_a_desk_that_was_never_asked) {
  call.starts();
  caller_hangs_up();
  EXPECT_EQ(call.desk.released, 0);
}

}  // namespace
}  // namespace gateway
