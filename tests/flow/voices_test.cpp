// What one side says is what the other side hears.
#include "loadtest/sim/elevenlabs/speech.h"
#include "media/transcoder.h"
#include "tests/flow/scene.h"
#include "tests/flow/sound.h"

namespace flow {
namespace {

/// Talks for three seconds and cannot be interrupted.
Agent talker(std::string const& speaks, std::string const& hears) {
  auto agent = agent_saying(voiced("Side right, side right, side right.", 7, 3s));
  agent.output_format = speaks;
  agent.input_format = hears;
  std::erase(agent.client_events, "interruption");
  return agent;
}

/// Talks without a pause from the first frame on, longer than the call lasts.
CallPlan talkative(CallPlan plan) {
  plan.caller.speech = speech(5s);
  plan.caller.speech_at = 0ms;
  plan.caller.hang_up_after = 4500ms;
  return plan;
}

/// Our transcoder alone: what it makes of the agent's words has to arrive as it is.
Mulaw for_the_telephone(ConversationRecord const& conversation) {
  media::Transcoder transcoder{conversation.output, media::telephone};
  Mulaw mulaw;
  transcoder.convert(conversation.agent_audio, mulaw);
  transcoder.flush(mulaw);
  return mulaw;
}

Samples agent_heard(ConversationRecord const& conversation) {
  return sim::elevenlabs::to_samples(conversation.caller_audio, conversation.input.codec);
}

Samples agent_said(ConversationRecord const& conversation) {
  return sim::elevenlabs::to_samples(conversation.agent_audio, conversation.output.codec);
}

class Voices : public FlowTest {};

TEST_F(Voices, pass_bit_by_bit_when_the_agent_speaks_the_telephones_language) {
  auto const number = scene().hire(talker("ulaw_8000", "ulaw_8000"));
  scene().open();
  auto const call = scene().place(talkative(scene().plan(number)));
  auto const& result = call.result();
  auto const record = scene().record(call.sid());

  ASSERT_EQ(result.streams.size(), 1U);
  EXPECT_TRUE(result.violations.empty()) << result.violations.front().what;
  auto const conversations = scene().conversations(number);
  ASSERT_EQ(conversations.size(), 1U);
  auto const& conversation = conversations.front();

  EXPECT_EQ(conversation.agent_audio.size(), 3U * media::telephone_rate);
  EXPECT_TRUE(position(conversation.agent_audio, result.heard))
      << "the caller did not hear what the agent sent, without a hole";
  EXPECT_EQ(result.streams.front().underruns, 0U);

  auto said = speech(5s);
  said.resize(result.streams.front().frames_sent * media::mulaw_frame_bytes, media::mulaw_silence);
  EXPECT_EQ(conversation.caller_audio.size(), said.size()) << "frames were lost or doubled on the way to the agent";
  EXPECT_TRUE(conversation.caller_audio == said) << "the agent did not hear what the caller said";

  EXPECT_EQ(record.ending, "caller_hung_up");
  EXPECT_EQ(record.blame, crm::Blame::caller);
  ASSERT_FALSE(record.turns.empty());
  EXPECT_EQ(record.turns.front().said, "Side right, side right, side right.");
  EXPECT_EQ(record.turns.front().heard, record.turns.front().said);
  EXPECT_FALSE(record.turns.front().interrupted);
}

TEST_F(Voices, stay_clear_when_the_agent_wants_other_formats) {
  std::vector<std::string> const formats{"pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000"};
  std::vector<std::string> numbers;
  for (auto const& format : formats) numbers.push_back(scene().hire(talker(format, format)));
  scene().open();
  std::vector<PlacedCall> calls;
  for (auto const& number : numbers) calls.push_back(scene().place(talkative(scene().plan(number))));

  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(formats[i]);
    auto const& result = calls[i].result();
    EXPECT_TRUE(result.violations.empty()) << result.violations.front().what;
    auto const& stream = result.streams.at(0);
    if (!is_sanitized) EXPECT_EQ(stream.underruns, 0U);
    EXPECT_EQ(scene().record(calls[i].sid()).ending, "caller_hung_up");
    auto const conversation = scene().conversations(numbers[i]).at(0);

    auto const to_caller = clarity_db(agent_said(conversation), conversation.output.rate, linear(stream.received));
    EXPECT_GE(to_caller, 35.0) << "agent to caller; mu-law alone leaves 37.4";

    EXPECT_EQ(position(for_the_telephone(conversation), stream.received), 0U);

    auto said = speech(5s);
    said.resize(stream.frames_sent * media::mulaw_frame_bytes, media::mulaw_silence);
    auto const to_agent =
        clarity_db(linear(said), media::telephone_rate,
                   by_soxr(agent_heard(conversation), conversation.input.rate, media::telephone_rate));
    EXPECT_GE(to_agent, 35.0) << "caller to agent";
    auto const seconds_heard = static_cast<double>(agent_heard(conversation).size()) / conversation.input.rate;
    EXPECT_NEAR(seconds_heard, static_cast<double>(said.size()) / media::telephone_rate, 0.02) << "frames were lost";
    RecordProperty(formats[i] + "_to_caller_db", std::to_string(to_caller));
    RecordProperty(formats[i] + "_to_agent_db", std::to_string(to_agent));
    std::cout << formats[i] << ": agent to caller " << to_caller << " dB, caller to agent " << to_agent << " dB\n";
  }
}

}  // namespace
}  // namespace flow
