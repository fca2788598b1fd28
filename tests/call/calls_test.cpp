#include "gateway/call/calls.h"

#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;

CallPlan another(CallScene const& call, std::string sid) {
  auto plan = call.plan;
  plan.sid = base::CallSid{std::move(sid)};
  return plan;
}

TEST(Calls, begins_a_call_once_however_often_its_webhook_comes) {
  CallScene call;
  call.begins();
  auto const again = call.calls->begin(call.plan);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, call.call());
  EXPECT_EQ(call.capacity.live(), 1U);
}

TEST(Calls, remembers_for_a_while_which_have_ended_and_gives_their_place_back) {
  CallScene call;
  call.starts();
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.calls->find(call.plan.sid), nullptr);
  EXPECT_TRUE(call.calls->ended_lately(call.plan.sid));
  EXPECT_EQ(call.capacity.live(), 0U);
}

TEST(Calls, refuses_beyond_what_a_tenant_or_the_process_may_have) {
  CallScene call;
  auto route = *call.plan.route;
  route.max_concurrent_calls = 2;
  call.plan.route = std::make_shared<crm::NumberRoute const>(route);
  call.begins();
  EXPECT_TRUE(call.calls->begin(another(call, "CA2")));
  EXPECT_EQ(call.calls->begin(another(call, "CA3")).error(), Refusal::tenant_full);
  call.capacity.stop();
  EXPECT_EQ(call.calls->begin(another(call, "CA4")).error(), Refusal::draining);
}

/// Nothing moves for 40 ms, again and again.
void struggle(CallScene& call) {
  for (int i = 0; i < 20; ++i) {
    call.time.advance(milliseconds{60});
    call.run();
  }
}

TEST(Calls, refuses_new_callers_while_its_loop_is_late_and_keeps_those_it_has) {
  CallScene call;
  call.starts();
  struggle(call);
  EXPECT_EQ(call.calls->begin(another(call, "CA2")).error(), Refusal::overloaded);
  EXPECT_TRUE(call.calls->begin(call.plan)) << "a webhook that comes twice is no new caller";
  EXPECT_FALSE(call.is_over());
  EXPECT_EQ(call.capacity.live(), 1U);
  call.passes(seconds{4});
  EXPECT_TRUE(call.calls->begin(another(call, "CA2")));
}

TEST(Calls, takes_a_new_caller_after_one_slow_moment) {
  CallScene call;
  call.starts();
  call.time.advance(seconds{1});
  call.run();
  EXPECT_TRUE(call.calls->begin(another(call, "CA2")));
}

TEST(Calls, takes_over_a_caller_of_an_earlier_process_however_late_its_loop_is) {
  CallScene call;
  call.starts();
  struggle(call);
  auto plan = another(call, "CA2");
  plan.earlier = crm::CallRecord{};
  EXPECT_TRUE(call.calls->begin(std::move(plan)));
}

TEST(Calls, says_that_it_drains_even_when_its_loop_is_late) {
  CallScene call;
  call.starts();
  struggle(call);
  call.capacity.stop();
  EXPECT_EQ(call.calls->begin(another(call, "CA2")).error(), Refusal::draining);
}

TEST(Calls, lets_a_call_use_the_grace) {
  CallScene call;
  call.starts();
  call.tasks.spawn(call.calls->drain(seconds{10}));
  call.passes(seconds{9});
  EXPECT_FALSE(call.is_over());
  call.passes(seconds{5});
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.ending(), "shut_down");
}

TEST(Calls, cuts_the_grace_when_hurried) {
  CallScene call;
  call.starts();
  call.tasks.spawn(call.calls->drain(seconds{600}));
  call.passes(seconds{1});
  call.calls->hurry();
  call.passes(seconds{5});
  EXPECT_TRUE(call.is_over());
}

TEST(Capacity, counts_calls_of_the_process_and_of_each_tenant) {
  Capacity capacity{2};
  base::TenantId const one{"ten_1"};
  base::TenantId const two{"ten_2"};
  EXPECT_EQ(capacity.take(one, 1), std::nullopt);
  EXPECT_EQ(capacity.take(one, 1), Refusal::tenant_full);
  EXPECT_EQ(capacity.take(two, 5), std::nullopt);
  EXPECT_EQ(capacity.take(two, 5), Refusal::full);
  capacity.give_back(one);
  EXPECT_EQ(capacity.take(two, 5), std::nullopt);
  EXPECT_EQ(capacity.live(), 2U);
}

}  // namespace
}  // namespace gateway
