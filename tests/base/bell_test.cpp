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

}  // namespace
