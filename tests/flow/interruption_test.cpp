// The caller talks over the agent.
#include "tests/flow/scene.h"

namespace flow {
namespace {

constexpr char long_answer[] =
    "We are open from Monday to Friday from eight in the morning until six in the evening, and on Saturdays from nine "
    "until noon.";

/// In a long answer when the caller breaks in; then says something short.
Agent chatty() {
  auto agent = agent_saying(words(long_answer, 6s));
  agent.turns.push_back(answer({words("On Saturdays from nine.", 1s)}));
  return agent;
}

CallPlan impatient(CallPlan plan) {
  plan.caller.barge_in_at = 2s;
  plan.caller.barge_in_speech = speech(800ms);
  plan.caller.hang_up_after = 5500ms;
  return plan;
}

/// Bytes of `audio` that were played from its start without a break.
std::size_t played(std::span<std::uint8_t const> audio, std::span<std::uint8_t const> heard) {
  auto const start = position(audio.first(10 * media::mulaw_frame_bytes), heard);
  if (!start) return 0;
  auto const rest = heard.subspan(*start);
  auto const [ours, theirs] = std::mismatch(audio.begin(), audio.end(), rest.begin(), rest.end());
  return static_cast<std::size_t>(ours - audio.begin());
}

double ms_between(base::Instant from, base::Instant to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

class Interruption : public FlowTest {};

TEST_F(Interruption, stops_playback_at_once_and_records_what_was_really_heard) {
  std::vector<std::string> numbers;
  constexpr std::size_t callers = 6;
  for (std::size_t i = 0; i < callers; ++i) {
    auto agent = chatty();
    agent.behaviour.stale_chunks = i % 2 == 0 ? 3 : 0;
    agent.behaviour.correction = i % 3 != 2;
    numbers.push_back(scene().hire(std::move(agent)));
  }
  scene().open();
  std::vector<PlacedCall> calls;
  for (auto const& number : numbers) calls.push_back(scene().place(impatient(scene().plan(number))));

  std::vector<double> silent_after;
  for (std::size_t i = 0; i < callers; ++i) {
    SCOPED_TRACE(i);
    auto const& result = calls[i].result();
    EXPECT_TRUE(result.violations.empty()) << result.violations.front().what;
    auto const& stream = result.streams.at(0);
    auto const conversation = scene().conversations(numbers[i]).at(0);
    ASSERT_EQ(conversation.interruptions.size(), 1U);
    EXPECT_EQ(stream.clears, 1U);

    auto const clear = calls[i].until(EventKind::clear);
    silent_after.push_back(ms_between(conversation.interruptions[0].at, clear.when) + clear.event.ms);

    auto const first = conversation.agent_audio_of(1);
    auto const second = conversation.agent_audio_of(2);
    ASSERT_FALSE(second.empty()) << conversation.explain();
    auto const taken = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.end(), stream.received.begin(), stream.received.end()).first -
        first.begin());
    EXPECT_LT(taken, first.size());
    EXPECT_EQ(position(second, std::span{stream.received}.subspan(taken)), 0U) << "something old came after the clear";
    EXPECT_TRUE(position(second, result.heard));

    auto const record = scene().record(calls[i].sid());
    ASSERT_GE(record.turns.size(), 2U);
    auto const& turn = record.turns.front();
    EXPECT_EQ(turn.said, long_answer);
    EXPECT_TRUE(turn.interrupted);
    EXPECT_FALSE(turn.heard.empty());
    EXPECT_LT(turn.heard.size(), turn.said.size());
    EXPECT_TRUE(turn.said.starts_with(turn.heard)) << turn.heard;
    auto const really = static_cast<double>(played(first, result.heard)) / 8;
    EXPECT_GT(really, 1000);
    EXPECT_NEAR(static_cast<double>(turn.heard_ms.value_or(0)), really, is_sanitized ? 200 : 60);
    auto const& last = record.turns.back();
    EXPECT_EQ(last.said, "On Saturdays from nine.");
    EXPECT_EQ(last.heard, last.said);
    EXPECT_FALSE(last.interrupted);
  }
  std::cout << "silent after the interruption: median " << median(silent_after) << " ms, longest "
            << *std::ranges::max_element(silent_after) << " ms\n";
  if (is_sanitized) return;
  EXPECT_LE(median(silent_after), 60.0);
  EXPECT_LE(*std::ranges::max_element(silent_after), 150.0);
}

}  // namespace
}  // namespace flow
