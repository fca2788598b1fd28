// The load test against the real gateway, started as a user would have it started.
#include <gtest/gtest.h>

#include "loadtest/load/figures.h"
#include "loadtest/load/options.h"

namespace {

using namespace sim::load;

Options twenty_calls(Scenario scenario) {
  Options options;
  options.switchboard = std::string{BINARY_ROOT} + "/switchboard";
  options.calls = 20;
  options.scenario = scenario;
  options.settle = std::chrono::milliseconds{200};
  options.window = std::chrono::milliseconds{2000};
  return options;
}

void expect_carried(Figures const& figures, std::int64_t calls) {
  EXPECT_EQ(figures.calls.asked, calls);
  EXPECT_EQ(figures.calls.answered, calls);
  EXPECT_EQ(figures.calls.finished, calls);
  for (auto const* direction : {&figures.to_agent, &figures.to_caller}) {
    EXPECT_GT(direction->frames.received, 0);
    EXPECT_EQ(direction->frames.received, direction->frames.sent);
    EXPECT_EQ(direction->frames.lost, 0);
    EXPECT_EQ(direction->frames.swapped, 0);
    EXPECT_EQ(direction->frames.duplicated, 0);
    EXPECT_EQ(direction->frames.crossed, 0);
    EXPECT_EQ(direction->frames.damaged, 0);
  }
  EXPECT_EQ(figures.outcomes_written, calls);
  EXPECT_EQ(figures.outcomes_wrong, 0);
  for (auto const& problem : figures.problems) ADD_FAILURE() << problem;
}

TEST(LoadOnTheGateway, carries_twenty_calls_and_tells_what_they_cost) {
  auto const figures = measure(twenty_calls(Scenario::talk), {});
  expect_carried(figures, 20);
  EXPECT_EQ(figures.calls.most_at_once, 20);
  ASSERT_TRUE(figures.target.process);
  EXPECT_GT(figures.target.process->per_caller_frame_us, 0);
  ASSERT_TRUE(figures.target.media_threads);
  EXPECT_LE(figures.target.media_threads->seconds, figures.target.process->seconds);
  ASSERT_TRUE(figures.target.per_call_kib);
  EXPECT_GT(*figures.target.per_call_kib, 0);
  EXPECT_EQ(figures.set_up.first_audio.count, 20);
  EXPECT_GE(figures.moments.size(), 2U);
}

TEST(LoadOnTheGateway, hears_its_numbers_through_the_transcoder) {
  auto options = twenty_calls(Scenario::talk);
  options.pcm = true;
  expect_carried(measure(options, {}), 20);
}

TEST(LoadOnTheGateway, speaks_tls_on_both_legs) {
  auto options = twenty_calls(Scenario::talk);
  options.tls = true;
  // Handshakes take long under sanitizers, and what is said more than a second before the agent is up is given up.
  options.ramp = 8;
  auto const figures = measure(options, {});
  expect_carried(figures, 20);
  EXPECT_TRUE(figures.settings.target.starts_with("https://"));
}

TEST(LoadOnTheGateway, interrupts_and_is_cleared_once_each_time) {
  auto options = twenty_calls(Scenario::barge_in);
  options.window = std::chrono::milliseconds{3000};
  auto const figures = measure(options, {});
  expect_carried(figures, 20);
  EXPECT_GE(figures.interruptions.sent, 10);
  EXPECT_EQ(figures.interruptions.clears, figures.interruptions.sent);
  EXPECT_EQ(figures.interruptions.without_clear, 0);
  EXPECT_EQ(figures.interruptions.more_than_one_clear, 0);
  EXPECT_EQ(figures.interruptions.stale_frames, 0);
}

TEST(LoadOnTheGateway, loses_nothing_when_all_hang_up_and_call_again) {
  expect_carried(measure(twenty_calls(Scenario::hangup_storm), {}), 40);
}

TEST(LoadOnTheGateway, loses_nothing_that_was_said_before_a_slow_agent_was_up) {
  auto const figures = measure(twenty_calls(Scenario::slow_agent), {});
  expect_carried(figures, 20);
  EXPECT_GE(figures.set_up.early_frames_sent, 20 * 20);
  EXPECT_EQ(figures.set_up.early_frames_lost, 0);
}

}  // namespace
