#include "gateway/call/metronome.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "gateway/base/task_group.h"
#include "tests/support/manual_time.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;

class Counting : public Metronome::Listener {
 public:
  void on_beat(base::Instant) override {
    ++beats;
    if (on_each) on_each();
  }
  int beats = 0;
  std::function<void()> on_each;
};

class Beating : public ::testing::Test {
 protected:
  void SetUp() override {
    tasks_.spawn(metronome_.run());
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
  void passes(milliseconds length) {
    time_.advance(length);
    poll();
  }
  asio::io_context context_{1};
  test::ManualTime time_;
  Metronome metronome_{context_.get_executor(), time_};
  base::TaskGroup tasks_{context_.get_executor()};
};

TEST_F(Beating, beats_every_20_ms_for_all_who_joined) {
  Counting one;
  Counting two;
  metronome_.join(one);
  metronome_.join(two);
  poll();
  for (int i = 0; i < 10; ++i) passes(milliseconds{20});
  EXPECT_EQ(one.beats, 10);
  EXPECT_EQ(two.beats, 10);
}

TEST_F(Beating, rests_when_nobody_listens) {
  Counting one;
  metronome_.join(one);
  poll();
  EXPECT_EQ(time_.waiters(), 1U);
  metronome_.leave(one);
  passes(milliseconds{20});
  EXPECT_EQ(time_.waiters(), 0U);
  EXPECT_EQ(one.beats, 0);
}

TEST_F(Beating, skips_beats_it_has_missed) {
  Counting one;
  metronome_.join(one);
  poll();
  passes(milliseconds{200});
  EXPECT_EQ(one.beats, 1);
  passes(milliseconds{20});
  EXPECT_EQ(one.beats, 2);
}

TEST_F(Beating, lets_a_listener_leave_and_another_join_within_a_beat) {
  Counting one;
  Counting two;
  one.on_each = [&] {
    metronome_.leave(one);
    metronome_.join(two);
  };
  metronome_.join(one);
  poll();
  passes(milliseconds{20});
  one.on_each = {};
  passes(milliseconds{20});
  EXPECT_EQ(one.beats, 1);
  EXPECT_GE(two.beats, 1);
  metronome_.leave(two);
}

}  // namespace
}  // namespace gateway
