#include <gmock/gmock.h>

#include "gateway/call/call.h"
#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;
using Kind = AgentLegEnd::Kind;
using ::testing::HasSubstr;

TEST(Call, reconnects_with_what_was_heard_when_the_agent_is_lost) {
  CallScene call;
  call.starts();
  call.agent().events().on_agent_text(1, "Hello there.");
  call.agent_says(1, milliseconds{500});
  call.passes(seconds{1});
  call.agent().events().on_caller_text(2, "I need help.");
  call.agent_ends(Kind::lost);
  call.passes(milliseconds{100});
  ASSERT_EQ(call.agents.diaries.size(), 2U);
  ASSERT_EQ(call.conversation().told.size(), 1U);
  EXPECT_THAT(call.conversation().told[0], HasSubstr("Agent: Hello there.\nCaller: I need help."));
  call.agent_says(1, milliseconds{500});
  call.passes(seconds{1});
  EXPECT_EQ(call.line().bytes_played[test::voice_of(1)], 8000);
  EXPECT_EQ(call.record().stream_count, 1);
}

TEST(Call, ends_the_stream_when_the_agent_is_lost_again_and_lets_the_resume_route_apologise) {
  CallScene call;
  call.starts();
  call.agent_ends(Kind::lost);
  call.passes(milliseconds{50});
  call.agent_ends(Kind::lost);
  call.passes(milliseconds{100});
  EXPECT_EQ(call.agents.diaries.size(), 2U);
  EXPECT_TRUE(call.line().is_over);
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::apologise);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "apologised");
  EXPECT_EQ(call.record().blame, crm::Blame::agent);
}

TEST(Call, does_not_try_again_where_trying_cannot_help) {
  for (auto const kind : {Kind::refused, Kind::quota, Kind::unusable}) {
    CallScene call;
    call.starts();
    call.agent_ends(kind);
    call.passes(milliseconds{100});
    EXPECT_EQ(call.agents.diaries.size(), 1U);
    EXPECT_TRUE(call.line().is_over);
  }
}

TEST(Call, forwards_to_a_person_when_the_agent_cannot_be_reached) {
  CallScene call;
  call.plan_agent->fallback = crm::FallbackKind::forward;
  call.plan_agent->fallback_number = "+14155550109";
  call.starts();
  call.agent_ends(Kind::refused);
  call.passes(milliseconds{100});
  auto const step = call.asks_for_the_next_step();
  EXPECT_EQ(step.what, NextStep::Do::forward);
  EXPECT_EQ(step.number, "+14155550109");
  call.passes(seconds{300});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_EQ(call.call()->after_dial(DialEnd::completed).what, NextStep::Do::hang_up);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "forwarded");
}

TEST(Call, takes_a_message_when_the_person_does_not_answer_and_lets_it_be_spoken) {
  CallScene call;
  call.plan_agent->fallback = crm::FallbackKind::forward;
  call.plan_agent->fallback_number = "+14155550109";
  call.starts();
  call.agent_ends(Kind::quota);
  call.passes(milliseconds{100});
  call.asks_for_the_next_step();
  EXPECT_EQ(call.call()->after_dial(DialEnd::no_answer).what, NextStep::Do::voicemail);
  call.passes(seconds{120});
  EXPECT_EQ(call.carrier.hang_ups, 0) << "a message was being spoken";
  EXPECT_EQ(call.call()->after_voicemail().what, NextStep::Do::hang_up);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "took_voicemail");
}

TEST(Call, restarts_an_agent_that_has_fallen_silent_and_then_falls_back) {
  CallScene call;
  call.starts();
  call.agent_says(1, milliseconds{500});
  call.passes(seconds{1});
  call.caller_speaks(seconds{1});
  call.passes(milliseconds{8100});
  EXPECT_EQ(call.agents.diaries.size(), 2U);
  EXPECT_FALSE(call.line().is_over);
  call.passes(milliseconds{8100});
  EXPECT_TRUE(call.line().is_over);
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::apologise);
}
}  // namespace
}  // namespace gateway
