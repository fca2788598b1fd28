#include "gateway/call/loop_watch.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "gateway/base/task_group.h"
#include "tests/support/manual_time.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds beat{20};
constexpr milliseconds limit{15};

class WatchedLoop : public ::testing::Test {
 protected:
  void SetUp() override {
    tasks_.spawn(watch_.run());
    poll();
  }
  void TearDown() override {
    tasks_.cancel_all();
    poll();
    EXPECT_EQ(tasks_.size(), 0U);
  }
  void poll() {
    context_.restart();
    context_.poll();
  }
  /// The loop comes to its probes that late, again and again.
  void is_late_by(milliseconds late, int times) {
    for (int i = 0; i < times; ++i) {
      time_.advance(beat + late);
      poll();
    }
  }
  void is_punctual_for(milliseconds length) { is_late_by(milliseconds{0}, static_cast<int>(length / beat)); }
  bool exposes(std::string const& line) const {
    return metrics_.expose().find("\n" + line + "\n") != std::string::npos;
  }

  asio::io_context context_{1};
  test::ManualTime time_;
  base::Metrics metrics_;
  LoopWatch watch_{time_, metrics_, 3, limit};
  base::TaskGroup tasks_{context_.get_executor()};
};

TEST_F(WatchedLoop, is_overloaded_when_it_is_late_for_a_third_of_a_second) {
  is_late_by(limit, 12);
  EXPECT_FALSE(watch_.is_overloaded());
  is_late_by(limit, 1);
  EXPECT_TRUE(watch_.is_overloaded());
  EXPECT_EQ(watch_.lag(), limit);
}

TEST_F(WatchedLoop, is_not_overloaded_because_of_one_slow_moment_however_slow) {
  is_late_by(seconds{3}, 1);
  EXPECT_FALSE(watch_.is_overloaded());
  is_punctual_for(seconds{1});
  is_late_by(seconds{3}, 2);
  EXPECT_FALSE(watch_.is_overloaded());
  EXPECT_EQ(watch_.lag(), milliseconds{0});
}

TEST_F(WatchedLoop, that_stops_again_and_again_is_overloaded_before_the_fifth_time) {
  is_late_by(milliseconds{400}, 4);
  EXPECT_TRUE(watch_.is_overloaded());
}

TEST_F(WatchedLoop, below_the_limit_is_never_overloaded) {
  is_late_by(limit - milliseconds{1}, 500);
  EXPECT_FALSE(watch_.is_overloaded());
  EXPECT_EQ(watch_.lag(), limit - milliseconds{1});
}

TEST_F(WatchedLoop, that_is_just_below_the_limit_again_stays_closed) {
  is_late_by(limit, 13);
  is_late_by(limit - milliseconds{1}, 500);
  EXPECT_TRUE(watch_.is_overloaded());
}

TEST_F(WatchedLoop, opens_after_two_calm_seconds) {
  is_late_by(limit, 13);
  is_punctual_for(milliseconds{1900});
  EXPECT_TRUE(watch_.is_overloaded());
  is_punctual_for(seconds{2});
  EXPECT_FALSE(watch_.is_overloaded());
}

TEST_F(WatchedLoop, starts_its_calm_anew_when_it_is_late_again) {
  is_late_by(limit, 13);
  is_punctual_for(milliseconds{2500});
  is_late_by(limit, 13);
  is_punctual_for(milliseconds{1900});
  EXPECT_TRUE(watch_.is_overloaded());
}

TEST_F(WatchedLoop, tells_its_lag_and_its_state) {
  is_late_by(milliseconds{20}, 13);
  EXPECT_TRUE(exposes("switchboard_core_overloaded{core=\"3\"} 1"));
  EXPECT_TRUE(exposes("switchboard_core_lag_recent_seconds{core=\"3\"} 0.02"));
  EXPECT_TRUE(exposes("switchboard_core_lag_seconds_count{core=\"3\"} 13"));
  EXPECT_TRUE(exposes("switchboard_core_lag_seconds_bucket{core=\"3\",le=\"0.015\"} 0"));
}

TEST_F(WatchedLoop, counts_the_time_that_its_thread_works) {
  is_punctual_for(milliseconds{200});
  EXPECT_FALSE(exposes("switchboard_core_busy_seconds_total{core=\"3\"} 0"));
}

}  // namespace
}  // namespace gateway
