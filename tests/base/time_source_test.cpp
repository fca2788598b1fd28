#include "gateway/base/time_source.h"

#include <boost/asio/post.hpp>

#include "gateway/base/task_group.h"
#include "tests/support/manual_time.h"
#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;

struct Waiting : testing::Test {
  asio::io_context context{1};
  test::ManualTime time;
  base::TaskGroup tasks{context.get_executor()};
  std::vector<std::string> said;

  base::Async<> wait_and_say(base::TimeSource& clock, std::chrono::milliseconds how_long, std::string word) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const waited = co_await clock.wait(how_long);
    said.push_back(waited ? word : std::string{base::to_string(waited.error().fault)});
  }
};

TEST_F(Waiting, for_manual_time_ends_when_the_test_says_so) {
  tasks.spawn(wait_and_say(time, 20ms, "twenty"));
  tasks.spawn(wait_and_say(time, 10ms, "ten"));
  test::settle(context);
  EXPECT_EQ(time.waiters(), 2u);
  time.advance(9ms);
  test::settle(context);
  EXPECT_TRUE(said.empty());
  time.advance(1ms);
  test::settle(context);
  EXPECT_EQ(said, std::vector<std::string>{"ten"});
  time.advance(1h);
  test::settle(context);
  EXPECT_EQ(said.back(), "twenty");
  EXPECT_EQ(time.waiters(), 0u);
}

TEST_F(Waiting, until_a_time_that_has_passed_ends_at_once) {
  base::SystemTime system;
  tasks.spawn(wait_and_say(time, 0ms, "manual"));
  tasks.spawn(wait_and_say(time, -5ms, "past"));
  test::play(context, [&]() -> base::Async<> { co_await wait_and_say(system, -5ms, "system"); });
  EXPECT_EQ(said.size(), 3u);
}

TEST_F(Waiting, is_told_apart_from_being_cancelled) {
  base::SystemTime system;
  tasks.spawn(wait_and_say(time, 10ms, "manual"));
  tasks.spawn(wait_and_say(system, 1h, "system"));
  test::settle(context);
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(said, (std::vector<std::string>{"cancelled", "cancelled"}));
}

TEST_F(Waiting, does_not_begin_in_a_coroutine_that_was_cancelled_before) {
  base::SystemTime system;
  auto const late = [this](base::TimeSource& clock) -> base::Async<> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(context, base::quietly);
    co_await wait_and_say(clock, 1h, "waited");
  };
  tasks.spawn(late(system));
  tasks.spawn(late(time));
  tasks.cancel_all();
  test::settle(context);
  EXPECT_EQ(said, (std::vector<std::string>{"cancelled", "cancelled"}));
}

TEST_F(Waiting, moves_both_clocks_together) {
  auto const before = time.wall();
  auto const instant = time.now();
  time.advance(1500ms);
  EXPECT_EQ(time.wall() - before, 1500ms);
  EXPECT_EQ(time.now() - instant, 1500ms);
}

TEST(Iso8601, is_utc_with_milliseconds) {
  using std::chrono::sys_days;
  base::TimeSource::Wall const when = sys_days{std::chrono::year{2026} / 1 / 31} + 9h + 30min + 123ms;
  EXPECT_EQ(base::iso8601(when), "2026-01-31T09:30:00.123Z");
  EXPECT_EQ(base::iso8601({}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(base::iso8601(base::TimeSource::Wall{} - 1ms), "1969-12-31T23:59:59.999Z");
}

}  // namespace
