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
