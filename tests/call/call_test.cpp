#include "gateway/call/call.h"

#include <gmock/gmock.h>

#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;
using Kind = AgentLegEnd::Kind;
using ::testing::Contains;
using ::testing::HasSubstr;

// ---- an ordinary call

TEST(Call, records_that_the_caller_hung_up) {
  CallScene call;
  call.starts();
  call.agent_says(1, seconds{1});
  call.passes(seconds{2});
  call.stream_ends(CallerLegEnd::stopped);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.ending(), "caller_hung_up");
  EXPECT_EQ(call.record().blame, crm::Blame::caller);
  EXPECT_EQ(call.record().status, crm::CallStatus::completed);
  EXPECT_EQ(call.record().conversation_id, "conv_1");
  EXPECT_EQ(call.records.endings(), 1U);
  ASSERT_EQ(call.record().turns.size(), 1U);
  EXPECT_EQ(call.record().turns[0].heard_ms, 1000);
}

TEST(Call, prepares_the_agent_before_the_stream_opens) {
  CallScene call;
  call.begins();
  EXPECT_EQ(call.agents.diaries.size(), 1U);
  call.agent_says(1, milliseconds{400});
  call.passes(seconds{1});
  call.stream_starts();
  EXPECT_GE(call.line().received(), milliseconds{140});
}

TEST(Call, tells_the_agent_who_is_calling) {
  CallScene call;
  call.plan_agent->first_message = "Good morning!";
  call.plan_agent->dynamic_variables["branch"] = "Boston";
  call.starts();
  auto const& request = call.conversation().request;
  EXPECT_EQ(request.agent_id, "agent_1");
  EXPECT_EQ(request.first_message, "Good morning!");
  EXPECT_EQ(request.dynamic_variables.at("caller_id"), DynamicValue{"+15550002222"});
  EXPECT_EQ(request.dynamic_variables.at("branch"), DynamicValue{"Boston"});
  EXPECT_EQ(request.dynamic_variables.at("contact_known"), DynamicValue{false});
}

TEST(Call, tells_the_agent_what_time_it_is_where_the_business_is) {
  CallScene call;
  call.starts();
  auto const& variables = call.conversation().request.dynamic_variables;
  EXPECT_EQ(variables.at("current_time"), DynamicValue{"2026-01-05T10:00:00-05:00"});
  EXPECT_EQ(variables.at("current_date"), DynamicValue{"Monday, January 5, 2026"});
  EXPECT_EQ(variables.at("timezone"), DynamicValue{"America/New_York"});
  for (auto const& [name, value] : variables) EXPECT_FALSE(name.starts_with("system__")) << name;
}

TEST(Call, tells_the_time_in_utc_when_nobody_knows_the_zone_of_the_business) {
  CallScene call;
  call.plan_route->tenant_timezone = "Mars/Base";
  call.starts();
  auto const& variables = call.conversation().request.dynamic_variables;
  EXPECT_EQ(variables.at("current_time"), DynamicValue{"2026-01-05T15:00:00+00:00"});
  EXPECT_EQ(variables.at("timezone"), DynamicValue{"UTC"});
}

TEST(Call, does_not_keep_an_agent_for_a_caller_who_has_hung_up) {
  CallScene call;
  call.reports_status = false;
  call.starts();
  call.stream_ends(CallerLegEnd::stopped);
  call.passes(milliseconds{100});
  EXPECT_TRUE(call.conversation().was_closed);
}

TEST(Call, takes_only_the_first_word_on_its_end) {
  CallScene call;
  call.starts();
  for (auto const status : {crm::CallStatus::ringing, crm::CallStatus::in_progress, crm::CallStatus::completed,
                            crm::CallStatus::in_progress, crm::CallStatus::failed, crm::CallStatus::completed})
    call.call()->on_status(status, std::nullopt);
  call.passes(seconds{2});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.record().status, crm::CallStatus::completed);
  EXPECT_EQ(call.records.endings(), 1U);
}

TEST(Call, saves_what_was_said_about_once_a_second) {
  CallScene call;
  call.starts();
  auto const before = call.records.snapshots.size();
  for (int turn = 1; turn <= 100; ++turn) {
    call.agent_says(turn, milliseconds{20});
    call.passes(milliseconds{100});
  }
  auto const saved = call.records.snapshots.size() - before;
  EXPECT_GE(saved, 9U);
  EXPECT_LE(saved, 12U);
}

TEST(Call, saves_ever_more_rarely_while_the_caller_only_listens) {
  CallScene call;
  call.starts();
  call.agent_says(1, milliseconds{60'000});
  call.passes(milliseconds{1'500});
  auto const before = call.records.snapshots.size();
  call.passes(milliseconds{50'000});
  auto const saved = call.records.snapshots.size() - before;
  EXPECT_GE(saved, 4U);
  EXPECT_LE(saved, 6U);
}

// ---- the agent ends the call

TEST(Call, plays_the_goodbye_to_its_end_before_it_hangs_up) {
  CallScene call;
  call.manners.one_way = milliseconds{50};
  call.starts();
  call.agent_says(1, seconds{3});
  call.agent_ends(Kind::finished);
  call.passes(seconds{3});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  call.passes(milliseconds{300});
  EXPECT_EQ(call.carrier.hang_ups, 1);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "agent_hung_up");
  EXPECT_EQ(call.record().turns[0].heard_ms, 3000);
  EXPECT_EQ(call.line().bytes_played[test::voice_of(1)], 24000);
}

TEST(Call, does_not_wait_for_ever_for_a_carrier_that_echoes_no_marks) {
  CallScene call;
  call.manners.echoes_marks = false;
  call.starts();
  call.agent_says(1, seconds{1});
  call.agent_ends(Kind::finished);
  call.passes(seconds{11});
  EXPECT_EQ(call.carrier.hang_ups, 1);
  EXPECT_TRUE(call.is_over());
}

TEST(Call, ends_by_the_end_call_tool_after_the_last_words) {
  CallScene call;
  call.starts();
  call.agent_calls("end_call");
  ASSERT_EQ(call.conversation().answers.size(), 1U);
  EXPECT_FALSE(call.conversation().answers[0].is_error);
  call.agent_says(2, seconds{2});
  call.passes(milliseconds{1900});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  call.passes(seconds{3});
  EXPECT_EQ(call.carrier.hang_ups, 1);
  EXPECT_EQ(call.ending(), "agent_hung_up");
  EXPECT_EQ(call.line().bytes_played[test::voice_of(2)], 16000);
}

TEST(Call, closes_the_stream_when_the_carrier_cannot_be_told_to_hang_up) {
  CallScene call;
  call.carrier.hang_up_result = base::fail(base::Fault::unavailable, "down");
  call.starts();
  call.agent_ends(Kind::finished);
  call.passes(milliseconds{100});
  EXPECT_TRUE(call.line().is_over);
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::hang_up);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "agent_hung_up");
}

// ---- interruption

TEST(Call, clears_once_for_each_interruption_and_keeps_heard_apart_from_sent) {
  CallScene call;
  call.manners.one_way = milliseconds{40};
  call.starts();
  call.agent_says(1, milliseconds{500});
  call.passes(seconds{1});
  call.agent_says(2, seconds{5});
  call.passes(seconds{2});
  call.agent_is_interrupted(2);
  call.passes(seconds{1});
  EXPECT_EQ(call.line().clears(), 1U);
  call.stream_ends(CallerLegEnd::stopped);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  auto const& turn = call.record().turns[1];
  auto const truth = call.line().bytes_played[test::voice_of(2)] / 8;
  EXPECT_TRUE(turn.interrupted);
  EXPECT_LE(*turn.heard_ms, truth);
  EXPECT_GE(*turn.heard_ms, truth - 100);
  EXPECT_LE(*turn.sent_ms, 2200);
  EXPECT_EQ(turn.generated_ms, 5000);
}

// ---- limits and the end of the process

TEST(Limits, end_a_call_that_lasts_too_long_even_over_several_streams) {
  CallScene call;
  call.plan_agent->max_duration = seconds{10};
  call.starts();
  call.passes(seconds{6});
  call.stream_ends(CallerLegEnd::lost);
  call.asks_for_the_next_step();
  call.stream_starts();
  call.passes(seconds{3});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  call.passes(seconds{4});
  EXPECT_EQ(call.carrier.hang_ups, 1);
  EXPECT_EQ(call.ending(), "too_long");
}

TEST(ShuttingDown, hangs_up_and_writes_the_record) {
  CallScene call;
  call.starts();
  call.agent_says(1, seconds{60});
  call.passes(seconds{1});
  call.call()->shut_down();
  call.passes(seconds{3});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.carrier.hang_ups, 1);
  EXPECT_EQ(call.ending(), "shut_down");
  EXPECT_EQ(call.records.endings(), 1U);
}

TEST(ShuttingDown, ends_a_call_although_the_carrier_cannot_be_reached) {
  CallScene call;
  call.carrier.hang_up_result = base::fail(base::Fault::unavailable, "");
  call.carrier.facts = base::fail(base::Fault::unavailable, "");
  call.starts();
  call.call()->shut_down();
  call.passes(seconds{3});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.ending(), "shut_down");
}

TEST(ShuttingDown, cuts_short_a_call_that_hangs_in_a_request) {
  CallScene call;
  call.carrier.answer_takes = std::chrono::hours{10};
  call.starts();
  call.tasks.spawn(call.calls->drain(milliseconds{0}));
  call.passes(seconds{20});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.records.endings(), 1U);
}

TEST(TakingOver, goes_on_with_the_record_of_the_process_that_died) {
  CallScene call;
  crm::CallRecord earlier;
  earlier.id = base::CallId{"call_0"};
  earlier.started_at = call.time.wall() - seconds{30};
  earlier.stream_count = 1;
  crm::CallTurn turn;
  turn.said = turn.heard = "Hello.";
  earlier.turns = {turn};
  call.plan.id = earlier.id;
  call.plan.earlier = earlier;
  call.starts();
  ASSERT_EQ(call.conversation().told.size(), 1U);
  EXPECT_THAT(call.conversation().told[0], HasSubstr("Agent: Hello."));
  call.agent_says(1, milliseconds{100});
  call.passes(seconds{2});
  EXPECT_EQ(call.record().id.text(), "call_0");
  EXPECT_EQ(call.record().stream_count, 2);
  EXPECT_EQ(call.record().resumed, 1);
  ASSERT_EQ(call.record().turns.size(), 2U);
  EXPECT_EQ(call.record().turns[1].started_ms, 30000);
}

TEST(Keys, reach_the_agent_and_leave_no_trace_of_which_they_were) {
  CallScene call;
  call.starts();
  call.stream->presses('4');
  call.stream->presses('#');
  call.passes(seconds{2});
  EXPECT_EQ(call.conversation().pressed, std::vector<std::string>{"4#"});
  EXPECT_THAT(call.events(), Contains("key_pressed"));
  for (auto const& event : call.record().events) EXPECT_EQ(event.detail_json.find('4'), std::string::npos);
}

TEST(Keys, cannot_fill_the_record) {
  CallScene call;
  call.starts();
  for (int i = 0; i < 5000; ++i) call.stream->presses('1');
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_LE(call.record().events.size(), 501U);
  EXPECT_EQ(call.record().events.back().kind, "ended");
}
}  // namespace
}  // namespace gateway
