#include "gateway/call/playout.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

constexpr milliseconds frame{20};

/// A carrier that takes what it is given, and a clock moved by hand.
class Playing : public ::testing::Test, protected PlayoutSink {
 protected:
  bool send_audio(std::span<std::uint8_t const> audio, Instant plays_at) override {
    if (refuses_) return false;
    EXPECT_EQ(audio.size() % media::mulaw_frame_bytes, 0U);
    message_bytes_.push_back(audio.size());
    sent_.insert(sent_.end(), audio.begin(), audio.end());
    horizon_ = std::max(horizon_, plays_at) + milliseconds{static_cast<std::int64_t>(audio.size()) / 8};
    return true;
  }
  void send_mark(std::string_view name) override { marks_.emplace_back(name); }

  void says(std::size_t turn, std::size_t bytes, std::uint8_t code = 1) {
    playout_.push(turn, Bytes(bytes, code), now_);
  }
  void says_ms(std::size_t turn, int ms) { says(turn, static_cast<std::size_t>(ms) * 8); }
  void passes(milliseconds length) {
    for (auto left = length; left > milliseconds{0}; left -= frame) {
      now_ += frame;
      playout_.pump(now_);
    }
  }
  void open() { playout_.open(now_); }
  milliseconds queued_at_carrier() const { return std::chrono::duration_cast<milliseconds>(horizon_ - now_); }
  milliseconds sent() const { return milliseconds{static_cast<std::int64_t>(sent_.size()) / 8}; }

  Instant now_{std::chrono::hours{1}};
  Instant horizon_{};
  bool refuses_ = false;
  Bytes sent_;
  std::vector<std::size_t> message_bytes_;
  std::vector<std::string> marks_;
  PlayoutSettings settings_;
  Playout playout_{settings_, *this};
};

// ---- frames and pace

TEST_F(Playing, sends_the_first_audio_in_the_same_breath) {
  open();
  says(0, 160);
  EXPECT_EQ(sent(), frame);
}

TEST_F(Playing, sends_what_has_waited_for_the_carrier_when_it_comes) {
  says_ms(0, 1000);
  EXPECT_TRUE(sent_.empty());
  open();
  EXPECT_GE(sent(), milliseconds{140});
  EXPECT_LE(sent(), settings_.lead);
}

TEST_F(Playing, keeps_a_small_lead_at_the_carrier_however_fast_the_agent_speaks) {
  open();
  says_ms(0, 5000);
  for (int i = 0; i < 240; ++i) {
    EXPECT_LE(queued_at_carrier(), settings_.lead);
    EXPECT_GT(queued_at_carrier(), milliseconds{0});
    passes(frame);
  }
  passes(milliseconds{400});
  EXPECT_EQ(sent(), milliseconds{5000});
  EXPECT_EQ(playout_.underruns(), 0U);
}

TEST_F(Playing, keeps_the_lead_small_also_when_the_agent_speaks_in_crumbs) {
  open();
  for (std::size_t turn = 0; turn < 500; ++turn) {
    says(turn, 1);
    EXPECT_LE(queued_at_carrier(), settings_.lead);
  }
  for (int i = 0; i < 600; ++i) {
    passes(frame);
    EXPECT_LE(queued_at_carrier(), settings_.lead);
  }
  EXPECT_EQ(marks_.size(), 500U);
}

TEST_F(Playing, carries_the_remainder_into_the_next_frame) {
  open();
  says(0, 100, 1);
  EXPECT_TRUE(sent_.empty());
  passes(frame);
  EXPECT_TRUE(sent_.empty());
  says(0, 100, 2);
  Bytes expected(100, 1);
  expected.resize(160, 2);
  EXPECT_EQ(sent_, expected);
}

TEST_F(Playing, pads_the_tail_of_a_turn_with_silence) {
  open();
  says(0, 200);
  playout_.end_turn(0, now_);
  Bytes expected(200, 1);
  expected.resize(320, media::mulaw_silence);
  EXPECT_EQ(sent_, expected);
  EXPECT_EQ(playout_.progress(0).sent_ms, 25);
}

TEST_F(Playing, plays_the_tail_of_an_agent_that_has_fallen_silent_without_saying_so) {
  open();
  says(0, 200);
  passes(milliseconds{160});
  EXPECT_EQ(sent_.size(), 320U);
  EXPECT_EQ(marks_.size(), 1U);
}

TEST_F(Playing, keeps_whole_an_utterance_that_arrives_in_ragged_pieces_at_the_pace_of_speech) {
  open();
  Bytes spoken;
  for (int i = 0; i < 400; ++i) {
    Bytes const piece(static_cast<std::size_t>(60 + i % 50), static_cast<std::uint8_t>(1 + i % 100));
    spoken.insert(spoken.end(), piece.begin(), piece.end());
    playout_.push(0, piece, now_);
    passes(frame);
  }
  playout_.end_turn(0, now_);
  passes(milliseconds{40});
  ASSERT_GE(sent_.size(), spoken.size());
  EXPECT_TRUE(std::equal(spoken.begin(), spoken.end(), sent_.begin()));
  EXPECT_LT(sent_.size() - spoken.size(), media::mulaw_frame_bytes);
}

TEST_F(Playing, joins_frames_into_larger_messages_once_a_turn_is_under_way) {
  open();
  says_ms(0, 3000);
  passes(milliseconds{3000});
  auto const whole = std::ranges::count(message_bytes_, 480U);
  EXPECT_GE(whole, static_cast<std::ptrdiff_t>(message_bytes_.size()) - 1);
}

TEST_F(Playing, counts_the_times_the_carrier_ran_dry_inside_a_turn) {
  open();
  says_ms(0, 40);
  passes(milliseconds{80});
  says_ms(0, 40);
  EXPECT_EQ(playout_.underruns(), 1U);
  playout_.end_turn(0, now_);
  passes(milliseconds{500});
  says_ms(1, 40);
  EXPECT_EQ(playout_.underruns(), 1U);
}

TEST_F(Playing, bounds_what_waits_and_counts_what_it_drops) {
  says_ms(0, 130000);
  EXPECT_EQ(playout_.queued_bytes(), 120000U * 8);
  EXPECT_EQ(playout_.dropped_bytes(), 10000U * 8);
  EXPECT_EQ(playout_.progress(0).generated_ms, 130000);
}

TEST_F(Playing, loses_no_more_than_the_time_a_carrier_refuses_audio) {
  open();
  says_ms(0, 3000);
  refuses_ = true;
  passes(milliseconds{1000});
  refuses_ = false;
  passes(milliseconds{3000});
  EXPECT_NEAR(static_cast<double>(sent().count()), 2000, 60);
  EXPECT_NEAR(static_cast<double>(playout_.progress(0).sent_ms), 2000, 60);
  EXPECT_EQ(playout_.dropped_bytes() / 8 + static_cast<std::uint64_t>(sent().count()), 3000U);
}

// ---- marks

TEST_F(Playing, marks_the_end_of_every_turn) {
  open();
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  EXPECT_EQ(marks_.size(), 1U);
  says_ms(1, 100);
  playout_.end_turn(1, now_);
  passes(milliseconds{200});
  EXPECT_EQ(marks_.size(), 2U);
  EXPECT_NE(marks_[0], marks_[1]);
}

TEST_F(Playing, marks_the_end_of_a_turn_whose_end_is_learned_after_its_audio_went_out) {
  open();
  says_ms(0, 40);
  EXPECT_TRUE(marks_.empty());
  playout_.end_turn(0, now_);
  EXPECT_EQ(marks_.size(), 1U);
}

TEST_F(Playing, marks_a_long_turn_every_second) {
  open();
  says_ms(0, 5000);
  playout_.end_turn(0, now_);
  passes(milliseconds{5000});
  EXPECT_GE(marks_.size(), 5U);
  EXPECT_LE(marks_.size(), 6U);
}

TEST_F(Playing, sends_no_flood_of_marks_to_an_agent_that_speaks_in_real_time) {
  open();
  for (int i = 0; i < 100; ++i) {
    says_ms(0, 20);
    passes(frame);
  }
  EXPECT_LE(marks_.size(), 2U);
}

TEST_F(Playing, takes_nothing_as_heard_before_its_mark_has_come_back) {
  open();
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  passes(milliseconds{500});
  EXPECT_EQ(playout_.progress(0).heard_ms, 0);
  EXPECT_FALSE(playout_.is_drained());
  EXPECT_TRUE(playout_.on_mark(marks_[0], now_));
  EXPECT_EQ(playout_.progress(0).heard_ms, 100);
  EXPECT_TRUE(playout_.is_drained());
}

TEST_F(Playing, takes_a_lost_mark_as_proven_by_a_later_one) {
  open();
  says_ms(0, 100);
  says_ms(1, 100);
  playout_.end_turn(1, now_);
  passes(milliseconds{200});
  ASSERT_EQ(marks_.size(), 2U);
  EXPECT_TRUE(playout_.on_mark(marks_[1], now_));
  EXPECT_EQ(playout_.progress(0).heard_ms, 100);
  EXPECT_FALSE(playout_.on_mark(marks_[0], now_));
}

TEST_F(Playing, does_not_grow_with_a_carrier_that_echoes_no_marks) {
  open();
  for (std::size_t turn = 0; turn < 2000; ++turn) {
    says(turn, 160);
    playout_.end_turn(turn, now_);
    passes(frame);
  }
  EXPECT_EQ(marks_.size(), 2000U);
  EXPECT_TRUE(playout_.on_mark(marks_.back(), now_));
  EXPECT_EQ(playout_.progress(1999).heard_ms, 20);
  EXPECT_EQ(playout_.progress(0).heard_ms, 0);
}

// ---- interruption

TEST_F(Playing, throws_away_what_waits_when_interrupted) {
  open();
  says_ms(0, 3000);
  passes(milliseconds{1000});
  auto const before = sent();
  playout_.interrupt(now_);
  passes(milliseconds{1000});
  EXPECT_EQ(sent(), before);
  EXPECT_EQ(playout_.queued_bytes(), 0U);
  EXPECT_TRUE(playout_.is_drained());
  EXPECT_TRUE(playout_.progress(0).cut);
}

TEST_F(Playing, counts_as_heard_up_to_where_the_play_head_was) {
  open();
  says_ms(0, 3000);
  passes(milliseconds{1000});
  playout_.interrupt(now_);
  auto const progress = playout_.progress(0);
  EXPECT_EQ(progress.heard_ms, 1000);
  EXPECT_EQ(progress.reached_ms, 1000);
  EXPECT_GT(progress.sent_ms, 1100);
  EXPECT_EQ(progress.generated_ms, 3000);
}

TEST_F(Playing, allows_for_the_way_to_the_carrier_once_a_mark_has_measured_it) {
  open();
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  passes(milliseconds{200});
  playout_.on_mark(marks_[0], now_);  // 100 ms after it was due: 50 ms each way
  says_ms(1, 3000);
  passes(milliseconds{1000});
  playout_.interrupt(now_);
  EXPECT_EQ(playout_.progress(1).heard_ms, 950);
}

TEST_F(Playing, takes_marks_echoed_because_of_a_clear_as_no_proof) {
  open();
  says_ms(0, 150);
  playout_.end_turn(0, now_);
  ASSERT_EQ(marks_.size(), 1U);
  passes(milliseconds{60});
  playout_.interrupt(now_);
  EXPECT_FALSE(playout_.on_mark(marks_[0], now_));
  EXPECT_EQ(playout_.progress(0).heard_ms, 60);
}

TEST_F(Playing, leaves_a_turn_alone_that_was_over_before_the_interruption) {
  open();
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  passes(milliseconds{100});
  playout_.on_mark(marks_[0], now_);
  says_ms(1, 1000);
  passes(milliseconds{100});
  playout_.interrupt(now_);
  EXPECT_FALSE(playout_.progress(0).cut);
  EXPECT_TRUE(playout_.progress(1).cut);
}

TEST_F(Playing, starts_the_next_turn_at_once_after_an_interruption) {
  open();
  says_ms(0, 3000);
  passes(milliseconds{500});
  playout_.interrupt(now_);
  auto const before = sent();
  says(1, 160, 2);
  EXPECT_EQ(sent() - before, frame);
  EXPECT_EQ(sent_.back(), 2);
}

TEST_F(Playing, knows_its_place_in_a_turn_that_goes_on_after_an_interruption) {
  open();
  says_ms(0, 1000);
  passes(milliseconds{300});
  playout_.interrupt(now_);
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  passes(milliseconds{200});
  playout_.on_mark(marks_.back(), now_);
  auto const progress = playout_.progress(0);
  EXPECT_EQ(progress.generated_ms, 1100);
  EXPECT_EQ(progress.heard_ms, 400);
  EXPECT_EQ(progress.reached_ms, 1100);
}

// ---- the carrier goes and comes again

TEST_F(Playing, goes_on_with_what_waits_when_the_carrier_comes_again) {
  open();
  says_ms(0, 1000);
  playout_.end_turn(0, now_);
  passes(milliseconds{300});
  playout_.close(now_);
  auto const sent_before = sent();
  passes(milliseconds{5000});
  EXPECT_EQ(sent(), sent_before);
  open();
  passes(milliseconds{1000});
  EXPECT_EQ(sent(), milliseconds{1000});
  playout_.on_mark(marks_.back(), now_);
  auto const progress = playout_.progress(0);
  EXPECT_EQ(progress.heard_ms, 1000 - (sent_before.count() - 300));
  EXPECT_EQ(progress.reached_ms, 1000);
  EXPECT_FALSE(progress.cut);
}

TEST_F(Playing, does_not_call_cut_what_waited_untouched_while_the_carrier_was_gone) {
  says_ms(0, 100);
  playout_.end_turn(0, now_);
  playout_.close(now_);
  open();
  passes(milliseconds{100});
  playout_.on_mark(marks_.back(), now_);
  EXPECT_EQ(playout_.progress(0).heard_ms, 100);
  EXPECT_FALSE(playout_.progress(0).cut);
}

}  // namespace
}  // namespace gateway
