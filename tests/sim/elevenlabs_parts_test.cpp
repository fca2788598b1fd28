// The values the simulated agent platform is made of, each alone.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "loadtest/sim/elevenlabs/client_message.h"
#include "loadtest/sim/elevenlabs/initiation.h"
#include "loadtest/sim/elevenlabs/pacing.h"
#include "loadtest/sim/elevenlabs/playback.h"
#include "loadtest/sim/elevenlabs/scenario.h"
#include "loadtest/sim/elevenlabs/speech.h"
#include "loadtest/sim/elevenlabs/turn_detector.h"

namespace sim::elevenlabs {
namespace {

using namespace std::chrono_literals;

base::Instant at(std::chrono::milliseconds ms) {
  return base::Instant{std::chrono::hours{1} + ms};
}

TEST(TurnDetectorOfTheSim, hears_speech_after_60_ms_and_its_end_after_700_ms_of_silence) {
  TurnDetector detector{{8000, 700ms, 60ms}};
  auto const speech = sine(300, 8000, 500ms);
  std::vector<std::int16_t> const silence(8000);
  auto const started = detector.push(speech);
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].kind, TurnDetector::Kind::speech_started);
  EXPECT_EQ(started[0].spoken, 60ms);
  EXPECT_TRUE(detector.push(std::span{silence}.first(8 * 690)).empty());
  auto const ended = detector.push(std::span{silence}.first(8 * 20));
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].kind, TurnDetector::Kind::turn_ended);
  EXPECT_EQ(ended[0].spoken, 500ms);
}

TEST(TurnDetectorOfTheSim, takes_a_click_for_no_speech_and_a_pause_for_no_end) {
  TurnDetector detector{{8000, 700ms, 60ms}};
  std::vector<std::int16_t> const silence(8000);
  EXPECT_TRUE(detector.push(sine(300, 8000, 40ms)).empty());
  EXPECT_TRUE(detector.push(std::span{silence}.first(8 * 200)).empty());
  EXPECT_EQ(detector.push(sine(300, 8000, 200ms)).size(), 1U);
  EXPECT_TRUE(detector.push(std::span{silence}.first(8 * 600)).empty());
  EXPECT_TRUE(detector.push(sine(300, 8000, 200ms)).empty());
  EXPECT_TRUE(detector.caller_is_speaking());
}

TEST(PacingOfTheSim, accepts_real_time_after_one_second_collected_at_first) {
  Pacing pacing;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(pacing.arrived(at(0ms), 20ms).has_value());
  for (int i = 1; i < 3000; ++i) EXPECT_FALSE(pacing.arrived(at(20ms * i), 20ms).has_value()) << i;
}

TEST(PacingOfTheSim, reports_a_backlog_once_and_each_gap) {
  Pacing pacing;
  int fast = 0;
  for (int i = 0; i < 500; ++i)
    if (auto const finding = pacing.arrived(at(10ms * i), 20ms)) fast += finding->fault == Pacing::Fault::too_fast;
  EXPECT_EQ(fast, 1);
  Pacing other;
  (void)other.arrived(at(0ms), 20ms);
  EXPECT_FALSE(other.arrived(at(260ms), 20ms).has_value());
  auto const gap = other.arrived(at(600ms), 20ms);
  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->fault, Pacing::Fault::gap);
  EXPECT_DOUBLE_EQ(gap->amount, 320);
}

TEST(PlaybackOfTheSim, plays_in_real_time_from_the_first_chunk_however_fast_chunks_come) {
  Playback playback;
  playback.begin(4, "one two three four", 4s, 0);
  playback.sent(at(0ms), 4s);
  EXPECT_TRUE(playback.playing(at(3999ms)));
  EXPECT_FALSE(playback.playing(at(4000ms)));
  EXPECT_EQ(playback.event_id(at(10ms)), 4);
}

TEST(PlaybackOfTheSim, an_interruption_cuts_the_sentence_that_plays_and_drops_the_one_behind) {
  Playback playback;
  playback.begin(4, "one two three four", 4s, 7);
  playback.sent(at(0ms), 4s);
  playback.begin(4, "five six", 2s, 8);
  playback.sent(at(500ms), 2s);
  auto const cuts = playback.interrupt(at(2000ms));
  ASSERT_EQ(cuts.size(), 2U);
  EXPECT_EQ(cuts[0].line, 7U);
  EXPECT_EQ(cuts[0].heard, "one two...");
  EXPECT_EQ(cuts[1].heard, "");
  EXPECT_FALSE(playback.playing(at(2000ms)));
}

TEST(ClientMessageOfTheSim, is_read_strictly) {
  auto const audio = decode_client_message(R"({"user_audio_chunk":"//8="})");
  ASSERT_TRUE(audio.has_value());
  EXPECT_EQ(std::get<UserAudio>(*audio).bytes, (std::vector<std::uint8_t>{0xFF, 0xFF}));
  auto const spaced = decode_client_message("{ \"user_audio_chunk\" : \"\\/\\/8=\" }");
  ASSERT_TRUE(spaced.has_value());
  EXPECT_EQ(std::get<UserAudio>(*spaced).bytes.size(), 2U);
  EXPECT_EQ(decode_client_message(R"({"user_audio_chunk":"//8"})").error().kind, "bad_base64");
  EXPECT_EQ(decode_client_message("[]").error().kind, "not_json");
  EXPECT_EQ(decode_client_message(R"({"type":"interrupt"})").error().kind, "unknown_type");
  EXPECT_EQ(decode_client_message(R"({"type":"pong"})").error().kind, "missing_fields");
  EXPECT_EQ(decode_client_message(R"({"type":"client_tool_result","tool_call_id":"a","result":"b"})").error().kind,
            "missing_fields");
  EXPECT_TRUE(decode_client_message(R"({"type":"user_message","text":null})").has_value());
}

TEST(InitiationOfTheSim, warns_of_nulls_and_refuses_lists_as_variables) {
  Agent agent;
  auto const nulls =
      read_initiation(R"({"conversation_config_override":{"tts":{"voice_id":null}},"user_id":null})", agent);
  EXPECT_FALSE(nulls.rejection.has_value());
  ASSERT_EQ(nulls.warnings.size(), 1U);
  EXPECT_EQ(nulls.warnings[0].kind, "null_override");
  auto const list = read_initiation(R"({"dynamic_variables":{"a":[1]}})", agent);
  ASSERT_TRUE(list.rejection.has_value());
  EXPECT_EQ(list.rejection->error_type, "value_error");
  auto const system = read_initiation(R"({"dynamic_variables":{"system__time":"x"}})", agent);
  EXPECT_TRUE(system.rejection.has_value());
}

TEST(InitiationOfTheSim, refuses_a_language_the_agent_does_not_have) {
  Agent agent;
  agent.overrides = {"agent.language"};
  agent.languages = {"es"};
  EXPECT_TRUE(read_initiation(R"({"conversation_config_override":{"agent":{"language":"fr"}}})", agent).rejection);
  EXPECT_FALSE(read_initiation(R"({"conversation_config_override":{"agent":{"language":"es"}}})", agent).rejection);
}

TEST(ScenarioOfTheSim, ships_one_for_the_demo_that_can_be_spoken) {
  auto const scenario = load_scenario(SOURCE_ROOT "/loadtest/sim/scenarios/receptionist.json");
  auto const* agent = scenario.find("agent_receptionist");
  ASSERT_NE(agent, nullptr);
  EXPECT_EQ(agent->behaviour.reply_delay_ms, 400);
  EXPECT_EQ(agent->turns.size(), 4U);
  Speech speech{scenario.folder};
  auto const greeting = speech.render(*agent->first_message, 1, media::telephone);
  EXPECT_GT(greeting->size(), 8000U);
}

TEST(ScenarioOfTheSim, ships_one_that_books_with_what_its_tools_answer) {
  auto const scenario = load_scenario(SOURCE_ROOT "/loadtest/sim/scenarios/booking.json");
  auto const* agent = scenario.find("agent_receptionist");
  ASSERT_NE(agent, nullptr);
  auto const met = read_initiation("{}", *agent);
  EXPECT_FALSE(met.rejection) << met.rejection->message;
  auto broken = *agent;
  broken.turns[0].reply.push_back(Say{"{{open_doors.0}}", {}});
  EXPECT_TRUE(read_initiation("{}", broken).rejection) << "nobody answers that";
}

TEST(ScenarioOfTheSim, names_the_place_of_a_mistake) {
  EXPECT_EQ(parse_scenario(R"({"agents":[{"id":"a","turns":[{"reply":[{"shout":"x"}]}]}]})").error().detail,
            "scenario.agents[0].turns[0].reply[0] is not a known step");
  EXPECT_EQ(parse_scenario(R"({"agents":[{"id":"a","colour":1}]})").error().detail,
            "scenario.agents[0].colour is not a known key");
  EXPECT_EQ(parse_scenario(R"({"agents":[{"id":"a","behaviour":{"metadata":"maybe"}}]})").error().detail,
            "scenario.agents[0].behaviour: behaviour metadata does not take 'maybe'; it takes "
            "at_once,after_client_data,never");
  EXPECT_FALSE(parse_scenario("{").has_value());
}

TEST(SpeechOfTheSim, gives_each_turn_a_tone_of_its_own) {
  for (std::int64_t id = 1; id < 40; ++id) EXPECT_NE(tone_hz(id), tone_hz(id + 1));
  Speech speech{{}};
  Say const say{"x", {AudioSource::Kind::tone, {}, 200ms}};
  auto const audio = speech.render(say, 5, {media::Codec::pcm16, 16000});
  auto const samples = to_samples(*audio, media::Codec::pcm16);
  ASSERT_EQ(samples.size(), 3200U);
  double real = 0;
  double imaginary = 0;
  double energy = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double const angle = 2 * std::numbers::pi * tone_hz(5) * static_cast<double>(i) / 16000;
    real += samples[i] * std::cos(angle);
    imaginary += samples[i] * std::sin(angle);
    energy += static_cast<double>(samples[i]) * samples[i];
  }
  EXPECT_GT((real * real + imaginary * imaginary) * 2 / (energy * 3200), 0.99);
}

TEST(SpeechOfTheSim, a_synthetic_voice_is_heard_as_speech_and_differs_by_text) {
  auto const one = synthetic_voice("How can I help you?", 8000, 1000ms);
  auto const two = synthetic_voice("Goodbye, my friend!", 8000, 1000ms);
  EXPECT_NE(one, two);
  TurnDetector detector{{8000, 700ms, 60ms}};
  EXPECT_FALSE(detector.push(one).empty());
  EXPECT_GT(level_dbfs(one), -30);
  EXPECT_LT(level_dbfs(one), -8);
}

TEST(SpeechOfTheSim, plays_a_recording_at_the_rate_of_the_format) {
  std::string const name = "Front_Center.wav";
  if (!std::filesystem::exists("/usr/share/sounds/alsa/" + name)) GTEST_SKIP() << "alsa-utils is not installed";
  Speech speech{{}};
  auto const narrow = speech.render({"", {AudioSource::Kind::wav, name, {}}}, 1, media::telephone);
  auto const wide = speech.render({"", {AudioSource::Kind::wav, name, {}}}, 1, {media::Codec::pcm16, 16000});
  EXPECT_NEAR(static_cast<double>(narrow->size()) / 8000, static_cast<double>(wide->size()) / 32000, 0.001);
  EXPECT_GT(narrow->size(), 8000U);
  auto const looped = speech.render({"", {AudioSource::Kind::wav, name, 5000ms}}, 1, media::telephone);
  EXPECT_EQ(looped->size(), 40000U);
}

}  // namespace
}  // namespace sim::elevenlabs
