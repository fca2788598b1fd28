#include "gateway/base/bell.h"

#include <boost/asio/post.hpp>

#include "gateway/base/task_group.h"
#include "tests/support/manual_time.h"
#include "tests/support/story.h"

namespace {

struct BellScene : testing::Test {
  asio::io_context context{1};
  base::Bell bell{context.get_executor()};
  base::TaskGroup tasks{context.get_executor()};
  std::vector<bool> heard;

  base::Async<> listen() {
    bool const rung = co_await bell.wait();
    heard.push_back(rung);
  }
};

using Bell = BellScene;

TEST_F(Bell, wakes_the_one_who_waits) {
  tasks.spawn(listen());
  test::settle(context);
  EXPECT_TRUE(heard.empty());
  bell.ring();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{true});
}

TEST_F(Bell, remembers_a_ring_until_somebody_waits_but_only_once) {
  bell.ring();
  bell.ring();
  tasks.spawn(listen());
  test::settle(context);
  EXPECT_EQ(heard, std::vector{true});
  tasks.spawn(listen());
  test::settle(context);
  EXPECT_EQ(heard.size(), 1u);
  bell.ring();
  test::settle(context);
  EXPECT_EQ(heard.size(), 2u);
}

TEST_F(Bell, says_false_when_the_waiting_is_cancelled) {
  tasks.spawn(listen());
  test::settle(context);
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{false});
}

TEST_F(Bell, does_not_wait_in_a_coroutine_that_was_cancelled_before) {
  auto const late = [this]() -> base::Async<> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(context, base::quietly);
    co_await listen();
  };
  tasks.spawn(late());
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{false});
  EXPECT_EQ(tasks.size(), 0u);
}

TEST_F(Bell, rung_between_cancellation_and_resumption_is_not_lost) {
  tasks.spawn(listen());
  test::settle(context);
  bell.ring();
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{true});
}

/// Waits for a ring until a time, on a clock that the test moves and on the machine's.
struct BellWithDeadline : BellScene {
  test::ManualTime manual;
  base::SystemTime system;
  base::Async<> listen_until(base::TimeSource& time, base::Instant deadline) {
    bool const rung = co_await bell.wait_until(time, deadline);
    heard.push_back(rung);
  }
};

TEST_F(BellWithDeadline, says_true_at_a_ring_and_false_when_the_time_is_up) {
  tasks.spawn(listen_until(manual, manual.now() + std::chrono::seconds{1}));
  test::settle(context);
  bell.ring();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{true});
  tasks.spawn(listen_until(manual, manual.now() + std::chrono::seconds{1}));
  test::settle(context);
  EXPECT_EQ(heard.size(), 1u);
  manual.advance(std::chrono::seconds{1});
  test::settle(context);
  EXPECT_EQ(heard, (std::vector{true, false}));
}

TEST_F(BellWithDeadline, on_the_machines_clock_does_the_same_with_one_timer) {
  tasks.spawn(listen_until(system, system.now() + std::chrono::hours{1}));
  test::settle(context);
  bell.ring();
  test::settle(context);
  EXPECT_EQ(heard, std::vector{true});
  tasks.spawn(listen_until(system, system.now()));
  test::play(context, [this]() -> base::Async<> {
    while (heard.size() < 2) co_await asio::post(context, base::quietly);
  });
  EXPECT_EQ(heard, (std::vector{true, false}));
  tasks.spawn(listen());
  test::settle(context);
  EXPECT_EQ(heard.size(), 2u) << "a wait without a deadline ended with the deadline before it";
  bell.ring();
  test::settle(context);
  EXPECT_EQ(heard.size(), 3u);
}

TEST_F(BellWithDeadline, says_false_when_the_waiting_is_cancelled) {
  for (base::TimeSource* const time :
       {static_cast<base::TimeSource*>(&system), static_cast<base::TimeSource*>(&manual)}) {
    tasks.spawn(listen_until(*time, time->now() + std::chrono::hours{1}));
    test::settle(context);
    tasks.cancel_all();
    test::settle(context);
  }
  EXPECT_EQ(heard, (std::vector{false, false}));
}

}  // namespace
