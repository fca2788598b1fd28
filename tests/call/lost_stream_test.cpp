#include <gmock/gmock.h>

#include "gateway/call/call.h"
#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;

TEST(Stream, keeps_the_agent_while_the_carrier_opens_another) {
  CallScene call;
  call.starts();
  call.agent_says(1, seconds{3});
  call.passes(seconds{1});
  call.stream_ends(CallerLegEnd::lost);
  call.passes(milliseconds{500});
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::stream);
  call.passes(milliseconds{500});
  call.stream_starts();
  EXPECT_EQ(call.agents.diaries.size(), 1U);
  EXPECT_GE(call.line().received(), milliseconds{140});
  call.passes(seconds{3});
  EXPECT_EQ(call.record().stream_count, 2);
  EXPECT_EQ(call.record().resumed, 1);
}

TEST(Stream, gives_way_to_another_before_its_loss_is_noticed_here) {
  CallScene call;
  call.manners.close_takes = milliseconds{700};
  call.starts();
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::stream);
  call.stream_starts();
  call.passes(seconds{2});
  ASSERT_EQ(call.lines.size(), 2U);
  EXPECT_TRUE(call.lines[0].is_over);
  EXPECT_FALSE(call.lines[1].is_over);
  call.agent_says(1, milliseconds{200});
  EXPECT_GT(call.line().received(), milliseconds{0});
}

TEST(Stream, cannot_be_pushed_aside_by_one_nobody_asked_for) {
  CallScene call;
  call.starts();
  call.stream_starts();
  call.passes(milliseconds{100});
  ASSERT_EQ(call.served.size(), 1U);
  EXPECT_EQ(call.served[0].error().fault, base::Fault::conflict);
  EXPECT_FALSE(call.lines[0].is_over);
}

TEST(Stream, brings_back_an_agent_that_is_just_being_dismissed) {
  CallScene call;
  call.agents.close_takes = milliseconds{800};
  call.starts();
  call.stream_ends(CallerLegEnd::stopped);
  call.passes(milliseconds{200});
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::stream);
  call.stream_starts();
  call.passes(seconds{2});
  ASSERT_EQ(call.agents.diaries.size(), 2U);
  ASSERT_TRUE(call.agents.newest && call.agents.newest->is_running());
  EXPECT_EQ(call.conversation().told.size(), 1U);
  call.passes(seconds{10});
  EXPECT_FALSE(call.line().is_over);
}

TEST(Stream, may_come_again_a_few_times_only) {
  CallScene call;
  call.starts();
  for (int i = 1; i < call.settings.streams; ++i) {
    call.stream_ends(CallerLegEnd::lost);
    EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::stream);
    call.stream_starts();
  }
  call.stream_ends(CallerLegEnd::lost);
  EXPECT_EQ(call.asks_for_the_next_step().what, NextStep::Do::apologise);
  call.passes(milliseconds{100});
  EXPECT_TRUE(call.conversation().was_closed);
}

TEST(Stream, is_missed_for_a_while_and_then_asked_after) {
  CallScene call;
  call.begins();
  call.passes(seconds{44});
  EXPECT_EQ(call.carrier.look_ups, 0);
  call.passes(seconds{20});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.carrier.look_ups, 3);
  EXPECT_EQ(call.carrier.hang_ups, 1);
  EXPECT_EQ(call.ending(), "stream_never_came");
  EXPECT_EQ(call.record().blame, crm::Blame::twilio);
}

TEST(Stream, lost_for_good_ends_the_call) {
  CallScene call;
  call.starts();
  call.stream_ends(CallerLegEnd::lost);
  call.passes(seconds{40});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.ending(), "stream_lost");
}

TEST(Stream, lost_because_the_call_was_over_is_found_out_by_asking) {
  CallScene call;
  call.starts();
  call.stream_ends(CallerLegEnd::stopped);
  call.carrier.facts = CarrierFacts{crm::CallStatus::completed, seconds{3}};
  call.passes(seconds{3});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_EQ(call.ending(), "caller_hung_up");
}
}  // namespace
}  // namespace gateway
