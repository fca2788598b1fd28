#include "gateway/base/task_group.h"

#include <boost/asio/post.hpp>

#include "gateway/base/bell.h"
#include "tests/support/manual_time.h"
#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;

struct TaskGroup : testing::Test {
  asio::io_context context{1};
  test::ManualTime time;
  std::vector<std::string> crashes;
  base::TaskGroup tasks{context.get_executor(), [this](std::string const& what) { crashes.push_back(what); }};
  base::Bell leave{context.get_executor()};
  int cancelled = 0;
  int left = 0;
  bool drained = false;

  base::Async<> stay_until_told() {
    bool const told = co_await leave.wait();
    if (told)
      ++left;
    else
      ++cancelled;
  }
  void drain(std::chrono::milliseconds grace) {
    asio::co_spawn(context, tasks.drain(time, grace), [this](std::exception_ptr crash) { drained = !crash; });
    test::settle(context);
  }
};

TEST_F(TaskGroup, drains_at_once_when_it_is_empty) {
  drain(1h);
  EXPECT_TRUE(drained);
}

TEST_F(TaskGroup, drain_waits_for_a_task_that_ends_by_itself) {
  tasks.spawn(stay_until_told());
  drain(1h);
  EXPECT_FALSE(drained);
  leave.ring();
  test::settle(context);
  EXPECT_TRUE(drained);
  EXPECT_EQ(left, 1);
  EXPECT_EQ(time.waiters(), 0u);
}

TEST_F(TaskGroup, drain_cancels_what_is_left_after_the_grace) {
  tasks.spawn(stay_until_told());
  drain(5s);
  time.advance(4999ms);
  test::settle(context);
  EXPECT_EQ(cancelled, 0);
  time.advance(1ms);
  test::settle(context);
  EXPECT_EQ(cancelled, 1);
  EXPECT_TRUE(drained);
  EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskGroup, drain_waits_for_a_cancelled_task_that_still_cleans_up) {
  base::Bell cleaned{context.get_executor()};
  auto const tidy = [&]() -> base::Async<> {
    co_await stay_until_told();
    co_await asio::this_coro::reset_cancellation_state();
    (void)co_await cleaned.wait();
  };
  tasks.spawn(tidy());
  drain(0s);
  EXPECT_EQ(cancelled, 1);
  EXPECT_FALSE(drained);
  cleaned.ring();
  test::settle(context);
  EXPECT_TRUE(drained);
}

TEST_F(TaskGroup, drain_waits_for_a_task_that_was_spawned_meanwhile) {
  base::Bell second{context.get_executor()};
  auto const wait_second = [&]() -> base::Async<> { (void)co_await second.wait(); };
  auto const spawner = [&]() -> base::Async<> {
    co_await stay_until_told();
    tasks.spawn(wait_second());
  };
  tasks.spawn(spawner());
  drain(1h);
  leave.ring();
  test::settle(context);
  EXPECT_FALSE(drained);
  second.ring();
  test::settle(context);
  EXPECT_TRUE(drained);
}

TEST_F(TaskGroup, cancelling_drain_skips_the_grace_but_leaves_nobody_behind) {
  base::TaskGroup outer{context.get_executor()};
  base::Bell cleaned{context.get_executor()};
  auto const tidy = [&]() -> base::Async<> {
    co_await stay_until_told();
    co_await asio::this_coro::reset_cancellation_state();
    (void)co_await cleaned.wait();
  };
  auto const drain_all = [&]() -> base::Async<> {
    co_await tasks.drain(time, 1h);
    drained = true;
  };
  tasks.spawn(tidy());
  outer.spawn(drain_all());
  test::settle(context);
  outer.cancel_all();
  test::settle(context);
  EXPECT_EQ(cancelled, 1);
  EXPECT_FALSE(drained);
  EXPECT_EQ(tasks.size(), 1u);
  outer.cancel_all();
  test::settle(context);
  EXPECT_EQ(tasks.size(), 1u);
  cleaned.ring();
  test::settle(context);
  EXPECT_EQ(tasks.size(), 0u);
  EXPECT_EQ(outer.size(), 0u);
}

TEST_F(TaskGroup, tells_of_a_crash_and_goes_on) {
  auto const crash = []() -> base::Async<> {
    throw std::runtime_error{"boom"};
    co_return;
  };
  tasks.spawn(crash());
  tasks.spawn(stay_until_told());
  test::settle(context);
  EXPECT_EQ(crashes, std::vector<std::string>{"boom"});
  EXPECT_EQ(tasks.size(), 1u);
  drain(0s);
  EXPECT_TRUE(drained);
}

TEST_F(TaskGroup, does_not_call_a_cancelled_wait_a_crash) {
  auto const careless = [this]() -> base::Async<> {
    asio::steady_timer timer{context, 1h};
    co_await timer.async_wait(asio::use_awaitable);
  };
  tasks.spawn(careless());
  drain(0s);
  EXPECT_TRUE(drained);
  EXPECT_TRUE(crashes.empty());
}

TEST_F(TaskGroup, may_be_cancelled_from_inside_one_of_its_tasks) {
  auto const stop_all = [this]() -> base::Async<> {
    co_await asio::post(context, base::quietly);
    tasks.cancel_all();
  };
  for (int i = 0; i < 3; ++i) tasks.spawn(stay_until_told());
  tasks.spawn(stop_all());
  test::settle(context);
  EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(TaskGroup, cancels_a_task_that_has_not_begun) {
  tasks.spawn(stay_until_told());
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(tasks.size(), 0u);
  EXPECT_EQ(left, 0);
}

}  // namespace
