#include <gtest/gtest.h>

#include "loadtest/sim/twilio/playout.h"

namespace sim::twilio {
namespace {

using Names = std::vector<std::string>;

std::vector<std::uint8_t> bytes(std::size_t count, std::uint8_t value = 1) {
  return std::vector<std::uint8_t>(count, value);
}

TEST(SimPlayout, echoes_a_mark_at_once_when_nothing_is_queued) {
  Playout playout;
  EXPECT_TRUE(playout.mark("a"));
}

TEST(SimPlayout, passes_a_mark_only_when_the_audio_before_it_has_been_heard_to_its_end) {
  Playout playout;
  playout.push(bytes(320));
  EXPECT_FALSE(playout.mark("a"));
  EXPECT_TRUE(playout.tick().passed.empty());  // the first frame begins
  EXPECT_TRUE(playout.tick().passed.empty());  // the second begins
  EXPECT_EQ(playout.tick().passed, Names{"a"});
}

TEST(SimPlayout, keeps_a_mark_waiting_behind_the_frame_that_still_sounds) {
  Playout playout;
  playout.push(bytes(160));
  playout.tick();
  EXPECT_FALSE(playout.mark("a"));
  EXPECT_EQ(playout.tick().passed, Names{"a"});
}

TEST(SimPlayout, clear_drops_what_is_unheard_and_gives_back_pending_marks_in_order) {
  Playout playout;
  playout.push(bytes(1600));
  playout.mark("a");
  playout.push(bytes(1600));
  playout.mark("b");
  playout.tick();
  EXPECT_EQ(playout.clear(), (Names{"a", "b"}));
  auto const after = playout.tick();
  EXPECT_EQ(after.fresh, 0u);
  EXPECT_TRUE(after.passed.empty());
  EXPECT_TRUE(playout.mark("c"));
}

TEST(SimPlayout, plays_every_byte_once_and_in_order_whatever_the_message_sizes) {
  Playout playout;
  std::vector<std::uint8_t> sent;
  std::vector<std::uint8_t> heard;
  std::uint8_t next = 0;
  for (std::size_t size : {1, 159, 161, 7, 4000, 160, 90000, 3}) {
    std::vector<std::uint8_t> message(size);
    for (auto& byte : message) byte = next++;
    playout.push(message);
    sent.insert(sent.end(), message.begin(), message.end());
    auto const tick = playout.tick();
    heard.insert(heard.end(), tick.frame.bytes.begin(), tick.frame.bytes.begin() + tick.fresh);
  }
  for (auto tick = playout.tick(); tick.fresh > 0; tick = playout.tick())
    heard.insert(heard.end(), tick.frame.bytes.begin(), tick.frame.bytes.begin() + tick.fresh);
  EXPECT_EQ(heard, sent);
}

TEST(SimPlayout, fills_the_rest_of_a_short_frame_with_silence) {
  Playout playout;
  playout.push(bytes(10));
  auto const tick = playout.tick();
  EXPECT_EQ(tick.fresh, 10u);
  EXPECT_EQ(tick.frame.bytes[9], 1);
  EXPECT_EQ(tick.frame.bytes[10], media::mulaw_silence);
}

TEST(SimPlayout, discards_what_comes_on_top_of_ten_minutes) {
  Playout playout;
  EXPECT_TRUE(playout.push(bytes(playout_cap_bytes - 1)));
  EXPECT_FALSE(playout.push(bytes(2)));
  EXPECT_EQ(playout.queued_bytes(), playout_cap_bytes);
}

}  // namespace
}  // namespace sim::twilio
