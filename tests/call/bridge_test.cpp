#include "gateway/call/bridge.h"

#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using test::AgentDiary;
using test::StreamDiary;
using test::voice_of;

class Decisions : public BridgeEvents {
 public:
  void on_agent_accepted(AgentReady const&) override { ++accepted; }
  void on_tool(ToolCall const&) override {}
  void on_agent_goodbye() override {}
  void on_dead_air() override { ++dead_airs; }
  void on_turn_changed() override {}
  void on_heard() override {}
  void on_event(std::string_view kind, std::string) override { events.emplace_back(kind); }
  int accepted = 0;
  int dead_airs = 0;
  std::vector<std::string> events;
};

/// A bridge between a leg of each kind, without a call around it.
class Bridging : public ::testing::Test {
 protected:
  void caller_comes() { bridge_.attach_caller(caller_); }
  void agent_comes(media::AudioFormat format = media::telephone) {
    bridge_.attach_agent(agent_);
    bridge_.on_agent_ready({"conv_1", format, format});
  }
  void both_come() {
    caller_comes();
    agent_comes();
  }
  void caller_says(std::uint8_t code, int frames = 1) {
    std::vector<std::uint8_t> const frame(media::mulaw_frame_bytes, code);
    for (int i = 0; i < frames; ++i, said_ += media::frame_duration) bridge_.on_caller_audio(frame, said_);
  }
  void agent_says(std::int64_t event_id, milliseconds length) {
    bridge_.on_agent_audio(
        {event_id, std::vector<std::uint8_t>(static_cast<std::size_t>(length.count()) * 8, voice_of(event_id))});
  }
  void passes(milliseconds length, bool caller_is_there = true) {
    for (auto left = length; left > milliseconds{0}; left -= media::frame_duration) {
      time_.advance(media::frame_duration);
      caller_.tick();
      if (caller_is_there) caller_says(0xFF);
      bridge_.on_beat(time_.now());
    }
  }
  std::vector<crm::CallTurn> turns() const { return bridge_.transcript().snapshot(bridge_.playout()); }
  std::size_t bytes_of(std::int64_t event_id) const {
    return static_cast<std::size_t>(std::ranges::count(line_.audio(), voice_of(event_id)));
  }

  asio::io_context context_{1};
  test::ManualTime time_;
  base::Metrics registry_;
  BridgeMetrics metrics_{registry_};
  Decisions decisions_;
  StreamDiary line_;
  AgentDiary conversation_;
  test::FakeCaller caller_{context_.get_executor(), time_, line_, {}};
  test::FakeAgent agent_{context_.get_executor(), time_, conversation_, milliseconds{0}, [] {}};
  base::Async<> run_caller() { (void)co_await caller_.run(bridge_); }
  base::Async<> run_agent() { (void)co_await agent_.run(bridge_); }
  Bridge bridge_{BridgeSettings{}, time_, metrics_, decisions_};
  base::TaskGroup tasks_{context_.get_executor()};
  milliseconds said_{0};

  void SetUp() override {
    tasks_.spawn(run_caller());
    tasks_.spawn(run_agent());
    context_.poll();
    context_.restart();
  }
  void TearDown() override {
    caller_.ends(CallerLegEnd::closed);
    agent_.ends(AgentLegEnd::Kind::closed);
    context_.poll();
  }
};

// ---- from the caller to the agent

TEST_F(Bridging, hands_each_frame_of_the_caller_to_the_agent_unchanged) {
  both_come();
  caller_says(7);
  EXPECT_EQ(conversation_.heard, std::vector<std::uint8_t>(160, 7));
}

TEST_F(Bridging, speaks_the_agents_format) {
  caller_comes();
  agent_comes({media::Codec::pcm16, 16000});
  caller_says(0x20, 50);
  EXPECT_NEAR(static_cast<double>(conversation_.heard.size()), 32000.0, 640.0);
}

TEST_F(Bridging, keeps_the_newest_second_of_the_caller_for_an_agent_that_is_late) {
  caller_comes();
  caller_says(1, 60);
  caller_says(2, 40);
  agent_comes();
  ASSERT_EQ(conversation_.heard.size(), 8000U);
  EXPECT_EQ(std::ranges::count(conversation_.heard, 1), 10 * 160);
  EXPECT_EQ(std::ranges::count(conversation_.heard, 2), 40 * 160);
  EXPECT_EQ(metrics_.caller_frames_dropped.Value(), 50);
}

TEST_F(Bridging, gives_a_queueing_agent_what_it_missed_once_it_is_admitted_and_not_later) {
  caller_comes();
  bridge_.attach_agent(agent_);
  bridge_.on_queue(QueueState::waiting);
  bridge_.on_agent_ready({"conv_1", media::telephone, media::telephone});
  caller_says(1, 10);
  EXPECT_TRUE(conversation_.heard.empty());
  bridge_.on_queue(QueueState::admitted);
  EXPECT_EQ(conversation_.heard.size(), 1600U);
  bridge_.detach_agent();
  conversation_.heard.clear();
  agent_comes();
  EXPECT_TRUE(conversation_.heard.empty());
}

TEST_F(Bridging, goes_on_with_silence_when_the_carrier_stalls) {
  both_come();
  caller_says(1);
  passes(milliseconds{1000}, /*caller_is_there=*/false);
  auto const silence = std::ranges::count(conversation_.heard, media::mulaw_silence);
  EXPECT_GE(silence, 400 * 8);
  EXPECT_LE(silence, 520 * 8);
}

TEST_F(Bridging, keeps_the_agent_patient_while_there_is_no_caller) {
  agent_comes();
  passes(milliseconds{9000}, /*caller_is_there=*/false);
  EXPECT_GE(conversation_.kept_patient, 3);
  EXPECT_TRUE(conversation_.heard.empty());
}

TEST_F(Bridging, hands_over_keys_as_one_input_after_a_pause) {
  both_come();
  bridge_.on_caller_digit('4');
  passes(milliseconds{500});
  bridge_.on_caller_digit('2');
  passes(milliseconds{1000});
  EXPECT_TRUE(conversation_.pressed.empty());
  passes(milliseconds{600});
  EXPECT_EQ(conversation_.pressed, std::vector<std::string>{"42"});
}

TEST_F(Bridging, hands_over_keys_at_once_when_they_end_with_the_hash) {
  both_come();
  for (char const digit : std::string{"12#"}) bridge_.on_caller_digit(digit);
  EXPECT_EQ(conversation_.pressed, std::vector<std::string>{"12#"});
}

TEST_F(Bridging, keeps_keys_for_an_agent_that_is_late_but_not_without_bound) {
  caller_comes();
  for (int i = 0; i < 1000; ++i) bridge_.on_caller_digit('1');
  agent_comes();
  passes(milliseconds{1600});
  EXPECT_EQ(conversation_.pressed, std::vector<std::string>{std::string(32, '1')});
}

// ---- from the agent to the caller

TEST_F(Bridging, sends_the_first_word_in_the_same_breath) {
  both_come();
  agent_says(1, milliseconds{300});
  EXPECT_GE(line_.received(), milliseconds{140});
}

TEST_F(Bridging, sends_what_the_agent_said_before_the_stream_the_moment_it_opens) {
  agent_comes();
  agent_says(1, milliseconds{300});
  EXPECT_TRUE(line_.messages.empty());
  caller_comes();
  EXPECT_GE(line_.received(), milliseconds{140});
}

TEST_F(Bridging, measures_the_first_audio_from_the_start_of_the_stream) {
  both_come();
  passes(milliseconds{200});
  agent_says(1, milliseconds{100});
  auto const text = registry_.expose();
  EXPECT_NE(text.find("switchboard_first_audio_seconds_sum 0.2"), std::string::npos);
  EXPECT_NE(text.find("switchboard_first_audio_seconds_count 1"), std::string::npos);
}

TEST_F(Bridging, turns_the_agents_format_into_whole_telephone_frames) {
  caller_comes();
  agent_comes({media::Codec::pcm16, 16000});
  bridge_.on_agent_audio({1, std::vector<std::uint8_t>(3201, 0)});
  bridge_.on_agent_audio({1, std::vector<std::uint8_t>(3199, 0)});
  bridge_.on_agent_turn_complete(1);
  passes(milliseconds{400});
  EXPECT_NEAR(static_cast<double>(line_.received().count()), 200.0, 20.0);
  EXPECT_EQ(line_.audio().size() % 160, 0U);
}

TEST_F(Bridging, marks_each_utterance_and_believes_the_echo) {
  both_come();
  agent_says(1, milliseconds{300});
  bridge_.on_agent_turn_complete(1);
  passes(milliseconds{280});
  EXPECT_EQ(turns().front().heard_ms, 0);
  passes(milliseconds{60});
  EXPECT_EQ(line_.marks(), 1U);
  EXPECT_EQ(turns().front().heard_ms, 300);
  EXPECT_TRUE(bridge_.is_drained());
}

TEST_F(Bridging, ends_a_turn_where_the_next_begins) {
  both_come();
  agent_says(1, milliseconds{100});
  agent_says(2, milliseconds{100});
  passes(milliseconds{300});
  EXPECT_EQ(turns()[0].heard_ms, 100);
}

// ---- interruption

TEST_F(Bridging, clears_exactly_once_and_drops_the_turn) {
  both_come();
  agent_says(3, milliseconds{3000});
  passes(milliseconds{1000});
  bridge_.on_interruption(3);
  EXPECT_EQ(line_.clears(), 1U);
  auto const sent = bytes_of(3);
  agent_says(3, milliseconds{1000});
  agent_says(2, milliseconds{1000});
  passes(milliseconds{1000});
  EXPECT_EQ(line_.clears(), 1U);
  EXPECT_EQ(bytes_of(3), sent);
  EXPECT_EQ(bytes_of(2), 0U);
  EXPECT_EQ(metrics_.agent_bytes_stale.Value(), 16000);
  EXPECT_EQ(turns()[0].heard_ms, 1000);
  EXPECT_TRUE(turns()[0].interrupted);
}

TEST_F(Bridging, plays_the_next_turn_at_once_after_an_interruption) {
  both_come();
  agent_says(3, milliseconds{3000});
  passes(milliseconds{500});
  bridge_.on_interruption(3);
  agent_says(4, milliseconds{200});
  EXPECT_GE(bytes_of(4), 140U * 8);
}

TEST_F(Bridging, takes_no_mark_echoed_by_the_clear_as_heard) {
  both_come();
  agent_says(3, milliseconds{190});
  bridge_.on_agent_turn_complete(3);
  passes(milliseconds{60});
  ASSERT_EQ(line_.marks(), 1U);
  bridge_.on_interruption(3);
  passes(milliseconds{100});
  EXPECT_EQ(turns()[0].heard_ms, 60);
  EXPECT_EQ(metrics_.marks_cleared.Value(), 1);
}

TEST_F(Bridging, clears_also_what_only_the_carrier_still_plays) {
  both_come();
  agent_says(3, milliseconds{180});
  passes(milliseconds{20});
  EXPECT_EQ(bridge_.playout().queued_bytes(), 0U);
  bridge_.on_interruption(3);
  EXPECT_EQ(line_.clears(), 1U);
}

TEST_F(Bridging, keeps_the_alignment_of_a_turn_that_survives_a_late_interruption_of_an_earlier_one) {
  both_come();
  agent_says(2, milliseconds{100});
  SpokenAlignment const first{{"a", "b"}, {0, 500}};
  SpokenAlignment const second{{"c", "d"}, {0, 500}};
  std::vector<std::uint8_t> const second_of_audio(8000, voice_of(3));
  bridge_.on_agent_text(3, "abcd");
  bridge_.on_agent_audio({3, second_of_audio, &first});
  passes(milliseconds{400});
  bridge_.on_interruption(2);
  bridge_.on_agent_audio({3, second_of_audio, &second});
  passes(milliseconds{600});
  bridge_.on_interruption(3);
  EXPECT_EQ(turns()[1].heard, "abcd");  // 300 ms of the first second, 600 ms of the second
  EXPECT_EQ(turns()[1].heard_ms, 900);
}

TEST_F(Bridging, amends_the_transcript_by_the_agents_correction) {
  both_come();
  bridge_.on_agent_text(3, "one two three four");
  agent_says(3, milliseconds{2000});
  passes(milliseconds{500});
  bridge_.on_interruption(3);
  bridge_.on_agent_correction(3, "one two three four", "one tw...");
  EXPECT_EQ(turns()[0].heard, "one tw...");
}

TEST_F(Bridging, takes_a_turn_up_again_that_the_agent_speaks_anew_under_the_same_id) {
  both_come();
  bridge_.on_agent_text(3, "first try");
  agent_says(3, milliseconds{1000});
  passes(milliseconds{200});
  bridge_.on_interruption(3);
  bridge_.on_agent_text(3, "second try");
  agent_says(3, milliseconds{200});
  passes(milliseconds{300});
  EXPECT_EQ(turns().size(), 2U);
  EXPECT_EQ(turns()[1].sent_ms, 200);
}

TEST_F(Bridging, forgets_interruptions_of_an_earlier_conversation) {
  both_come();
  agent_says(9, milliseconds{100});
  bridge_.on_interruption(9);
  bridge_.detach_agent();
  agent_comes();
  agent_says(1, milliseconds{100});
  EXPECT_GT(bytes_of(1), 0U);
}

// ---- the watchdog

TEST_F(Bridging, reports_dead_air_once_when_the_agent_owes_an_answer) {
  both_come();
  agent_says(1, milliseconds{500});
  passes(milliseconds{1000});
  caller_says(0x10);
  passes(milliseconds{7800});
  EXPECT_EQ(decisions_.dead_airs, 0);
  passes(milliseconds{400});
  EXPECT_EQ(decisions_.dead_airs, 1);
  passes(milliseconds{20000});
  EXPECT_EQ(decisions_.dead_airs, 1);
}

TEST_F(Bridging, does_not_blame_the_agent_for_a_caller_who_says_nothing) {
  both_come();
  agent_says(1, milliseconds{500});
  passes(milliseconds{60000});
  EXPECT_EQ(decisions_.dead_airs, 0);
}

TEST_F(Bridging, waits_for_a_tool) {
  both_come();
  agent_says(1, milliseconds{500});
  caller_says(0x10);
  bridge_.tool_pending(true);
  passes(milliseconds{20000});
  EXPECT_EQ(decisions_.dead_airs, 0);
  bridge_.tool_pending(false);
  passes(milliseconds{8100});
  EXPECT_EQ(decisions_.dead_airs, 1);
}

TEST_F(Bridging, reports_an_agent_that_never_comes) {
  caller_comes();
  passes(milliseconds{8100});
  EXPECT_EQ(decisions_.dead_airs, 1);
}

// ---- legs come and go

TEST_F(Bridging, listens_again_when_the_caller_comes_back_after_a_goodbye) {
  both_come();
  bridge_.wind_down();
  caller_says(1);
  EXPECT_TRUE(conversation_.heard.empty());
  bridge_.detach_caller();
  caller_comes();
  caller_says(1);
  EXPECT_EQ(conversation_.heard.size(), 160U);
}

TEST_F(Bridging, plays_on_after_the_agent_has_left) {
  both_come();
  agent_says(1, milliseconds{1010});
  bridge_.detach_agent();
  passes(milliseconds{1200});
  EXPECT_EQ(bytes_of(1), 1010U * 8);
  EXPECT_TRUE(bridge_.is_drained());
}

TEST_F(Bridging, begins_anew_when_a_leg_opens_a_second_conversation) {
  both_come();
  bridge_.on_agent_text(1, "hello");
  bridge_.on_interruption(1);
  bridge_.on_agent_ready({"conv_2", media::telephone, media::telephone});
  bridge_.on_agent_text(1, "hello");
  agent_says(1, milliseconds{100});
  EXPECT_EQ(turns().size(), 2U);
  EXPECT_GT(bytes_of(1), 0U);
  EXPECT_EQ(decisions_.accepted, 2);
}

}  // namespace
}  // namespace gateway
