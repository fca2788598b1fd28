// Fifty people call at once.
#include <cstdlib>

#include "tests/flow/scene.h"

namespace flow {
namespace {

std::chrono::seconds load_time() {
  auto const* text = std::getenv("SWITCHBOARD_TEST_LOAD_SECONDS");
  return std::chrono::seconds{text ? std::max(1, std::atoi(text)) : 5};
}

class ManyCalls : public FlowTest {};

TEST_F(ManyCalls, lose_no_frame_and_leave_nothing_behind) {
  constexpr std::size_t callers = 50;
  auto const talk = std::chrono::duration_cast<milliseconds>(load_time());
  auto agent = agent_saying(voiced("Side right, over and over again.", 7, talk));
  std::erase(agent.client_events, "interruption");
  auto const number = scene().hire(std::move(agent));
  scene().open();
  auto const said = speech(talk + 3s);
  std::vector<PlacedCall> calls;
  for (std::size_t i = 0; i < callers; ++i) {
    auto plan = scene().plan(number);
    plan.ring_for = milliseconds{20 + 7 * i};
    plan.caller.speech = said;
    plan.caller.speech_at = 0ms;
    plan.caller.hang_up_after = talk + 1500ms;
    plan.caller.pacing = static_cast<sim::twilio::Pacing>(i % 3);
    plan.caller.seed = static_cast<std::uint32_t>(i);
    calls.push_back(scene().place(std::move(plan)));
  }
  std::vector<double> late;
  for (std::size_t i = 0; i < callers; ++i) {
    SCOPED_TRACE(i);
    auto const& result = calls[i].result(talk + 60s);
    EXPECT_TRUE(result.violations.empty()) << result.violations.front().what;
    auto const& stream = result.streams.at(0);
    EXPECT_EQ(scene().record(calls[i].sid()).ending, "caller_hung_up");
    auto const conversations = scene().conversations_of_call(calls[i].sid());
    ASSERT_EQ(conversations.size(), 1U);
    auto const& conversation = conversations.front();
    EXPECT_EQ(position(conversation.agent_audio, stream.received), 0U) << "lost or reordered on the way to the caller";
    if (!is_sanitized) EXPECT_TRUE(position(conversation.agent_audio, result.heard)) << "the caller heard a hole";
    auto expected = said;
    expected.resize(stream.frames_sent * media::mulaw_frame_bytes);
    EXPECT_EQ(stream.frames_lost, 0U);
    EXPECT_EQ(conversation.caller_audio.size(), expected.size());
    EXPECT_TRUE(conversation.caller_audio == expected) << "lost or reordered on the way to the agent";
    late.push_back(stream.arrival_lateness.max);
  }
  EXPECT_EQ(scene().records(), callers);
  EXPECT_EQ(scene().metric("switchboard_caller_frames_dropped_total"), 0);
  EXPECT_EQ(scene().metric("switchboard_caller_frames_missing_total"), 0);
  EXPECT_EQ(scene().metric("switchboard_agent_bytes_dropped_total"), 0);
  EXPECT_TRUE(scene().until([&] { return scene().process().live_calls() == 0; }));
  EXPECT_TRUE(scene().until([&] { return scene().with_agents([](ElevenLabsSim& sim) { return sim.live(); }) == 0; }));
  std::cout << "latest audio against its moment: median of calls " << median(late) << " ms, worst "
            << *std::ranges::max_element(late) << " ms\n";
}

}  // namespace
}  // namespace flow
