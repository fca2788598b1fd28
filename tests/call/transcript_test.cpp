#include "gateway/call/transcript.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

using std::chrono::milliseconds;

class NoCarrier : public PlayoutSink {
 public:
  bool send_audio(std::span<std::uint8_t const>, Instant) override { return true; }
  void send_mark(std::string_view name) override { last_mark = name; }
  std::string last_mark;
};

/// A transcript beside the playout of the same turns.
class Writing : public ::testing::Test {
 protected:
  void agent_says(std::int64_t event_id, std::string_view text, int ms) {
    auto const turn = transcript_.agent_turn(event_id, at_);
    if (!text.empty()) transcript_.agent_said(turn, text);
    playout_.push(turn, std::vector<std::uint8_t>(static_cast<std::size_t>(ms) * 8, 1), now_);
  }
  void passes(int ms) {
    for (int i = 0; i < ms; i += 20) {
      now_ += milliseconds{20};
      at_ += milliseconds{20};
      playout_.pump(now_);
    }
  }
  void is_interrupted(std::int64_t event_id) {
    playout_.interrupt(now_);
    if (auto const turn = transcript_.find_agent_turn(event_id)) transcript_.interrupted(*turn);
  }
  void is_heard_to_the_end(std::size_t turn) {
    playout_.end_turn(turn, now_);
    passes(10000);
    playout_.on_mark(carrier_.last_mark, now_);
  }
  std::vector<crm::CallTurn> turns() const { return transcript_.snapshot(playout_); }

  NoCarrier carrier_;
  Playout playout_{PlayoutSettings{}, carrier_};
  Transcript transcript_;
  Playout::Instant now_{std::chrono::hours{1}};
  milliseconds at_{0};
  void SetUp() override { playout_.open(now_); }
};

TEST_F(Writing, keeps_generated_sent_and_heard_apart) {
  agent_says(1, "one two three four", 2000);
  passes(1000);
  auto const before = turns();
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0].said, "one two three four");
  EXPECT_EQ(before[0].heard, "");
  EXPECT_EQ(before[0].generated_ms, 2000);
  EXPECT_GE(*before[0].sent_ms, 1000);
  EXPECT_EQ(before[0].heard_ms, 0);
  is_heard_to_the_end(0);
  auto const after = turns();
  EXPECT_EQ(after[0].heard, "one two three four");
  EXPECT_EQ(after[0].heard_ms, 2000);
  EXPECT_FALSE(after[0].interrupted);
}

TEST_F(Writing, cuts_an_interrupted_turn_to_whole_words_in_proportion) {
  agent_says(1, "one two three four five six", 2700);
  passes(1000);
  is_interrupted(1);
  auto const turn = turns().front();
  EXPECT_TRUE(turn.interrupted);
  EXPECT_EQ(turn.heard, "one two");
}

TEST_F(Writing, cuts_to_the_character_when_the_agent_said_when_each_is_spoken) {
  auto const turn = transcript_.agent_turn(1, at_);
  transcript_.agent_said(turn, "Hé yo");
  transcript_.agent_spoke(turn, {{"H", "é", " "}, {0, 200, 400}}, 0);
  transcript_.agent_spoke(turn, {{"y", "o"}, {0, 200}}, 500);
  playout_.push(turn, std::vector<std::uint8_t>(1000 * 8, 1), now_);
  passes(600);
  is_interrupted(1);
  EXPECT_EQ(turns().front().heard, "Hé y");
}

TEST_F(Writing, survives_an_alignment_whose_columns_differ_in_length) {
  auto const turn = transcript_.agent_turn(1, at_);
  transcript_.agent_said(turn, "ab");
  transcript_.agent_spoke(turn, {{"a", "b"}, {0}}, 0);
  playout_.push(turn, std::vector<std::uint8_t>(400 * 8, 1), now_);
  passes(200);
  is_interrupted(1);
  EXPECT_EQ(turns().front().heard, "a");
}

TEST_F(Writing, takes_the_agents_correction_where_it_has_nothing_better) {
  agent_says(1, "one two three four", 2000);
  passes(1000);
  is_interrupted(1);
  EXPECT_TRUE(transcript_.correct(1, "one two three four", "one two th..."));
  EXPECT_EQ(turns().front().heard, "one two th...");
  EXPECT_EQ(turns().front().said, "one two three four");
}

TEST_F(Writing, finds_the_corrected_turn_by_its_text_when_there_is_no_id) {
  agent_says(1, "hello", 100);
  agent_says(2, "how are you", 1000);
  EXPECT_TRUE(transcript_.correct(std::nullopt, " how are you ", "how"));
  EXPECT_EQ(turns()[1].heard, "how");
  EXPECT_FALSE(transcript_.correct(std::nullopt, "never said", ""));
}

TEST_F(Writing, joins_the_texts_of_one_turn) {
  agent_says(1, "Let me look.", 100);
  agent_says(1, " I have found it. ", 100);
  EXPECT_EQ(turns().front().said, "Let me look. I have found it.");
}

TEST_F(Writing, puts_the_question_before_the_answer_that_overtook_it) {
  agent_says(1, "Yes.", 100);
  passes(200);
  transcript_.caller_said(1, "Are you there?", at_);
  ASSERT_EQ(turns().size(), 2U);
  EXPECT_EQ(turns()[0].role, crm::Speaker::caller);
  EXPECT_EQ(turns()[1].role, crm::Speaker::agent);
}

TEST_F(Writing, does_not_mix_up_ids_of_two_conversations) {
  agent_says(1, "first", 100);
  transcript_.new_conversation();
  agent_says(1, "second", 100);
  ASSERT_EQ(turns().size(), 2U);
  EXPECT_EQ(turns()[0].said, "first");
  EXPECT_EQ(turns()[0].event_id, 1);
}

crm::CallTurn heard(crm::Speaker role, std::string text) {
  crm::CallTurn turn;
  turn.role = role;
  turn.heard = std::move(text);
  return turn;
}

TEST(HeardContext, tells_only_what_was_heard) {
  EXPECT_EQ(heard_context({heard(crm::Speaker::agent, "Hello."), heard(crm::Speaker::agent, ""),
                           heard(crm::Speaker::caller, "Hi.")},
                          100),
            "Agent: Hello.\nCaller: Hi.\n");
}

TEST(HeardContext, keeps_the_newest_lines_whole) {
  EXPECT_EQ(heard_context({heard(crm::Speaker::agent, "A long greeting."), heard(crm::Speaker::caller, "Hi.")}, 20),
            "Caller: Hi.\n");
}

TEST(HeardContext, keeps_the_end_of_a_line_that_is_too_long_by_itself) {
  EXPECT_EQ(heard_context({heard(crm::Speaker::caller, "aaaaaaaaaaaaéé")}, 4), "é\n");
}

}  // namespace
}  // namespace gateway
