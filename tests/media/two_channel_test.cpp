#include "media/two_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "media/mulaw.h"

namespace {

using media::Side;
using media::TwoChannelTimeline;
using std::chrono::milliseconds;

using Codes = std::vector<std::uint8_t>;

constexpr std::uint8_t loud = 0x00;
constexpr std::uint8_t soft = 0x70;
auto const loud_sample = media::mulaw_to_linear(loud);
auto const soft_sample = media::mulaw_to_linear(soft);

Codes piece(int ms, std::uint8_t code = loud) {
  return Codes(static_cast<std::size_t>(ms) * 8, code);
}

/// One channel of a recording, one letter a millisecond: '.' silence, 'L' loud, 's' soft, '?' a mixture.
std::string drawn(std::vector<std::int16_t> const& stereo, Side side) {
  std::string picture;
  for (std::size_t at = 0; at + 16 <= stereo.size(); at += 16) {
    char letter = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      auto const sample = stereo[at + i * 2 + static_cast<std::size_t>(side)];
      char const found = sample == 0 ? '.' : sample == loud_sample ? 'L' : sample == soft_sample ? 's' : 'x';
      letter = i == 0 || letter == found ? found : '?';
    }
    picture += letter;
  }
  return picture;
}

std::string times(int count, char letter) {
  return std::string(static_cast<std::size_t>(count), letter);
}

struct Recording {
  TwoChannelTimeline timeline;
  std::vector<std::int16_t> out;

  void says(Side side, int at_ms, Codes const& audio) { timeline.add(side, milliseconds{at_ms}, audio, out); }
  int ms() const { return static_cast<int>(out.size() / 16); }
  std::string finished(Side side) {
    timeline.finish(out);
    return drawn(out, side);
  }
};

TEST(TwoChannelTimeline, puts_the_caller_left_and_the_agent_right) {
  Recording call;
  call.says(Side::caller, 0, piece(20, loud));
  call.says(Side::agent, 0, piece(20, soft));
  EXPECT_EQ(drawn(call.out, Side::caller), times(20, 'L'));
  EXPECT_EQ(drawn(call.out, Side::agent), times(20, 's'));
}

TEST(TwoChannelTimeline, emits_what_both_sides_have_passed_and_no_more) {
  Recording call;
  call.says(Side::caller, 0, piece(60));
  EXPECT_EQ(call.ms(), 0);
  call.says(Side::agent, 0, piece(20));
  EXPECT_EQ(call.ms(), 20);
  call.timeline.advance_to(milliseconds{50}, call.out);
  EXPECT_EQ(call.ms(), 50);
  call.timeline.finish(call.out);
  EXPECT_EQ(call.ms(), 60);
  EXPECT_EQ(call.timeline.emitted(), milliseconds{60});
}

TEST(TwoChannelTimeline, fills_gaps_with_silence) {
  Recording call;
  call.says(Side::caller, 40, piece(20));
  call.says(Side::caller, 100, piece(20));
  EXPECT_EQ(call.finished(Side::caller), times(40, '.') + times(20, 'L') + times(40, '.') + times(20, 'L'));
  EXPECT_EQ(drawn(call.out, Side::agent), times(120, '.'));
}

TEST(TwoChannelTimeline, joins_pieces_whose_stamps_jitter) {
  Recording call;
  call.says(Side::agent, 0, piece(20));
  call.says(Side::agent, 23, piece(20));
  call.says(Side::agent, 37, piece(20));
  EXPECT_EQ(call.finished(Side::agent), times(60, 'L'));
  EXPECT_EQ(call.timeline.dropped(Side::agent), 0U);
}

TEST(TwoChannelTimeline, does_not_let_small_differences_add_up) {
  Recording call;
  for (int i = 0; i < 3000; ++i) {  // a clock that runs 5 % fast, for a minute
    call.says(Side::caller, i * 21, piece(20));
    call.says(Side::agent, i * 20, piece(20, soft));
  }
  call.timeline.finish(call.out);
  EXPECT_NEAR(call.ms(), 3000 * 21, 20);
}

TEST(TwoChannelTimeline, keeps_a_lost_frame_as_a_gap_and_takes_it_when_it_comes_late) {
  Recording call;
  call.says(Side::caller, 0, piece(20));
  call.says(Side::caller, 40, piece(20));
  call.says(Side::caller, 20, piece(20, soft));
  EXPECT_EQ(call.finished(Side::caller), times(20, 'L') + times(20, 's') + times(20, 'L'));
}

TEST(TwoChannelTimeline, lets_audio_in_place_stand_when_another_piece_overlaps_it) {
  Recording call;
  call.says(Side::caller, 0, piece(60));
  call.says(Side::caller, 30, piece(60, soft));
  EXPECT_EQ(call.finished(Side::caller), times(60, 'L') + times(30, 's'));
  EXPECT_EQ(call.timeline.dropped(Side::caller), 30U * 8);
}

TEST(TwoChannelTimeline, is_not_changed_by_a_repeated_piece) {
  Recording call;
  for (int i = 0; i < 2; ++i) call.says(Side::caller, 0, piece(40));
  EXPECT_EQ(call.finished(Side::caller), times(40, 'L'));
}

TEST(TwoChannelTimeline, treats_the_silence_of_a_piece_as_audio) {
  Recording call;
  call.says(Side::caller, 0, piece(40, 0x7F));
  call.says(Side::caller, 0, piece(40, loud));
  EXPECT_EQ(call.finished(Side::caller), times(40, '.'));
}

TEST(TwoChannelTimeline, drops_what_comes_after_its_time_was_emitted) {
  Recording call;
  call.timeline.advance_to(milliseconds{100}, call.out);
  call.says(Side::agent, 60, piece(60));
  EXPECT_EQ(call.finished(Side::agent), times(100, '.') + times(20, 'L'));
  EXPECT_EQ(call.timeline.dropped(Side::agent), 40U * 8);
}

TEST(TwoChannelTimeline, holds_back_no_more_than_its_window_when_one_side_is_silent) {
  Recording call;
  auto const window = static_cast<int>(TwoChannelTimeline::window.count());
  for (int at = 0; at < 60'000; at += 20) {
    call.says(Side::caller, at, piece(20));
    ASSERT_GE(call.ms(), at + 20 - window);
  }
  call.out.clear();
  call.says(Side::caller, 60'000, piece(20'000));  // one piece four times as long as the window
  EXPECT_EQ(call.ms(), 20'000);
  EXPECT_EQ(drawn(call.out, Side::caller), times(20'000, 'L'));
}

TEST(TwoChannelTimeline, ignores_wild_stamps) {
  Recording call;
  call.says(Side::caller, 0, piece(20));
  for (auto const at : {milliseconds::max(), milliseconds{3'600'000}, milliseconds::min(), milliseconds{-40'000}}) {
    call.timeline.add(Side::caller, at, piece(20), call.out);
  }
  EXPECT_EQ(call.timeline.dropped(Side::caller), 4U * 160);
  EXPECT_EQ(call.finished(Side::caller), times(20, 'L'));
}

TEST(TwoChannelTimeline, keeps_a_piece_that_began_before_the_call_from_its_first_ms_on) {
  Recording call;
  call.says(Side::caller, -30, piece(50));
  EXPECT_EQ(call.finished(Side::caller), times(20, 'L'));
}

TEST(TwoChannelTimeline, records_the_same_whichever_side_reports_first) {
  std::mt19937 random{11};
  Recording one;
  Recording other;
  for (int at = 0; at < 4000; at += 20) {
    auto const caller = Codes(160, static_cast<std::uint8_t>(random()));
    auto const agent = Codes(160, static_cast<std::uint8_t>(random()));
    one.says(Side::caller, at, caller);
    one.says(Side::agent, at, agent);
    other.says(Side::agent, at, agent);
    other.says(Side::caller, at, caller);
  }
  EXPECT_EQ(one.out, other.out);
  EXPECT_EQ(one.ms(), 4000);
}

}  // namespace
