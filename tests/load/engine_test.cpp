// The load test's own promise: what goes wrong between caller and agent is found, and only that.
#include <gtest/gtest.h>

#include "loadtest/load/figures.h"
#include "loadtest/load/swarm.h"
#include "tests/load/faulty_bridge.h"

namespace {

using namespace sim::load;
using test::FaultyBridge;
using Frame = FaultyBridge::Frame;
using Frames = std::vector<Frame>;

Figures figures_of(FaultyBridge& bridge, Scenario scenario = Scenario::talk) {
  auto options = bridge.options();
  options.scenario = scenario;
  return measure(options, {});
}

void expect_flawless(FrameCounts const& frames) {
  EXPECT_GT(frames.received, 200);
  EXPECT_EQ(frames.received, frames.sent);
  EXPECT_EQ(frames.lost, 0);
  EXPECT_EQ(frames.swapped, 0);
  EXPECT_EQ(frames.duplicated, 0);
  EXPECT_EQ(frames.crossed, 0);
  EXPECT_EQ(frames.damaged, 0);
}

/// Loses 30 to 32, repeats 40, swaps 50 and 51, changes a byte of 60, and gives the first call's 70 to the second one.
FaultyBridge::Fate every_fault() {
  struct Memory {
    Frame held;
    Frame stolen;
  };
  auto const memory = std::make_shared<Memory>();
  return [memory](int call, int number, Frame frame) -> Frames {
    if (call == 0 && number == 70) return memory->stolen = frame, Frames{frame};
    if (call == 1 && number == 80) return {frame, memory->stolen};
    if (call != 0) return {frame};
    if (number >= 30 && number <= 32) return {};
    if (number == 40) return {frame, frame};
    if (number == 50) return memory->held = frame, Frames{};
    if (number == 51) return {frame, memory->held};
    if (number == 60) frame[100] ^= 0x01;
    return {frame};
  };
}

void expect_every_fault(FrameCounts const& frames) {
  EXPECT_EQ(frames.lost, 3 + 1) << "a changed frame is a lost one too";
  EXPECT_EQ(frames.duplicated, 1);
  EXPECT_EQ(frames.swapped, 1);
  EXPECT_EQ(frames.damaged, 1);
  EXPECT_EQ(frames.crossed, 1);
}

TEST(LoadTest, finds_nothing_wrong_with_a_bridge_that_does_nothing_wrong) {
  FaultyBridge bridge{{}};
  auto const figures = figures_of(bridge);
  expect_flawless(figures.to_agent.frames);
  expect_flawless(figures.to_caller.frames);
  EXPECT_EQ(figures.calls.asked, 3);
  EXPECT_EQ(figures.calls.answered, 3);
  EXPECT_EQ(figures.calls.finished, 3);
  EXPECT_EQ(figures.calls.failed, 0);
  EXPECT_TRUE(figures.problems.empty()) << figures.problems.front();
}

TEST(LoadTest, finds_every_fault_on_the_way_to_the_agent) {
  FaultyBridge::Faults faults;
  faults.to_agent = every_fault();
  FaultyBridge bridge{faults};
  auto const figures = figures_of(bridge);
  expect_every_fault(figures.to_agent.frames);
  expect_flawless(figures.to_caller.frames);
}

TEST(LoadTest, finds_every_fault_on_the_way_to_the_caller) {
  FaultyBridge::Faults faults;
  faults.to_caller = every_fault();
  FaultyBridge bridge{faults};
  auto const figures = figures_of(bridge);
  expect_every_fault(figures.to_caller.frames);
  expect_flawless(figures.to_agent.frames);
}

TEST(LoadTest, measures_how_late_a_frame_is) {
  // Seven frames of the first call wait for the eighth: 140 ms, 120 ms, …
  auto const held = std::make_shared<Frames>();
  FaultyBridge bridge{{.to_agent = [held](int call, int number, Frame const& frame) -> Frames {
    if (call != 0 || number < 60 || number > 67) return {frame};
    held->push_back(frame);
    return number < 67 ? Frames{} : std::move(*held);
  }}};
  auto const figures = figures_of(bridge);
  EXPECT_EQ(figures.to_agent.frames.lost, 0);
  EXPECT_GE(figures.to_agent.frames.late, 2);
  // Counted from the writing, which a busy machine may do a little late.
  EXPECT_GE(figures.to_agent.latency.uncorrected.max_ms, 119);
  EXPECT_GE(figures.to_agent.latency.corrected.max_ms, 139);
}

TEST(LoadTest, finds_early_audio_that_was_forgotten) {
  FaultyBridge good{{}};
  auto const right = figures_of(good, Scenario::slow_agent);
  EXPECT_GE(right.set_up.early_frames_sent, 3 * 20);
  EXPECT_EQ(right.set_up.early_frames_lost, 0);
  FaultyBridge bad{{.forgets_early = true}};
  auto const wrong = figures_of(bad, Scenario::slow_agent);
  EXPECT_GE(wrong.set_up.early_frames_lost, 3 * 20);
  EXPECT_EQ(wrong.set_up.early_frames_lost, wrong.to_agent.frames.lost);
}

Figures with_interruptions(FaultyBridge::Faults faults) {
  FaultyBridge bridge{std::move(faults)};
  auto options = bridge.options();
  options.scenario = Scenario::barge_in;
  options.calls = 6;
  options.window = std::chrono::milliseconds{3000};
  return measure(options, {});
}

TEST(LoadTest, finds_one_clear_for_each_interruption_and_nothing_after_it) {
  auto const figures = with_interruptions({});
  EXPECT_GE(figures.interruptions.sent, 3);
  EXPECT_EQ(figures.interruptions.clears, figures.interruptions.sent);
  EXPECT_EQ(figures.interruptions.without_clear, 0);
  EXPECT_EQ(figures.interruptions.more_than_one_clear, 0);
  EXPECT_EQ(figures.interruptions.stale_frames, 0);
  EXPECT_EQ(figures.interruptions.until_clear.count, figures.interruptions.sent);
  EXPECT_EQ(figures.to_caller.frames.lost, 0);
}

TEST(LoadTest, finds_interruptions_that_were_not_passed_on) {
  auto const figures = with_interruptions({.clears = 0});
  EXPECT_GE(figures.interruptions.sent, 3);
  EXPECT_EQ(figures.interruptions.without_clear, figures.interruptions.sent);
}

TEST(LoadTest, finds_a_second_clear_and_audio_that_follows_it) {
  auto const figures = with_interruptions({.clears = 2, .lets_stale_pass = true});
  EXPECT_GE(figures.interruptions.sent, 3);
  EXPECT_EQ(figures.interruptions.more_than_one_clear, figures.interruptions.sent);
  EXPECT_EQ(figures.interruptions.stale_frames, figures.interruptions.sent * 6);
}

TEST(LoadTest, counts_a_call_whose_agent_was_lost_as_failed) {
  FaultyBridge bridge{{.drops_agent_of = 1}};
  auto const figures = figures_of(bridge);
  EXPECT_EQ(figures.calls.failed, 1);
  EXPECT_EQ(figures.calls.finished, 2);
  EXPECT_FALSE(figures.problems.empty());
}

TEST(LoadTest, counts_a_busy_answer_as_an_answer) {
  FaultyBridge bridge{
      {.answer =
           R"(<?xml version="1.0" encoding="UTF-8"?><Response><Say>All lines are busy.</Say><Hangup/></Response>)"}};
  auto const figures = figures_of(bridge);
  EXPECT_EQ(figures.calls.refused, 3);
  EXPECT_EQ(figures.calls.failed, 0);
  EXPECT_EQ(figures.calls.answered, 0);
}

TEST(LoadTest, counts_nonsense_for_an_answer_as_failure) {
  FaultyBridge bridge{{.answer = "hello"}};
  auto const figures = figures_of(bridge);
  EXPECT_EQ(figures.calls.failed, 3);
  EXPECT_FALSE(figures.problems.empty());
}

TEST(LoadTest, calls_itself_the_bottleneck_when_it_was_late_or_had_no_time_left) {
  Generator generator;
  generator.lateness.p99_ms = 4.9;
  generator.agent_lateness.p99_ms = 1;
  generator.cpu.load = 0.9;
  EXPECT_EQ(why_bottleneck(generator), "");
  generator.agent_lateness.p99_ms = 5.1;
  EXPECT_NE(why_bottleneck(generator).find("5.1 ms late"), std::string::npos);
  generator.agent_lateness.p99_ms = 1;
  generator.cpu.load = 0.96;
  EXPECT_NE(why_bottleneck(generator).find("96 %"), std::string::npos);
}

}  // namespace
