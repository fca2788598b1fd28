#include "loadtest/load/stamp.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace sim::load;

using Frame = std::array<std::uint8_t, media::mulaw_frame_bytes>;

Frame stamped(Stamp const& stamp) {
  auto frame = unstamped_frame();
  write_stamp(stamp, std::span{frame}.first<stamp_bytes>());
  return frame;
}

Stamp numbered(std::uint32_t frame) {
  return {.call = 7, .frame = frame, .sent_ns = 1'000'000'000 + frame * 20'000'000LL, .lateness_ns = 1500};
}

std::vector<std::uint8_t> frames(std::uint32_t from, std::uint32_t to) {
  std::vector<std::uint8_t> audio;
  for (auto i = from; i < to; ++i) {
    auto const frame = stamped(numbered(i));
    audio.insert(audio.end(), frame.begin(), frame.end());
  }
  return audio;
}

struct Heard : StampEvents {
  void on_stamp(Stamp const& stamp) override { stamps.push_back(stamp); }
  void on_damage() override { ++damages; }
  std::vector<Stamp> stamps;
  int damages = 0;
};

std::vector<std::uint32_t> numbers(Heard const& heard) {
  std::vector<std::uint32_t> all;
  for (auto const& stamp : heard.stamps) all.push_back(stamp.frame);
  return all;
}

TEST(Stamp, comes_back_as_it_was_written) {
  Stamp const stamp{
      .call = 0xFFFFFFFF, .frame = 123456, .sent_ns = 9'876'543'210'987'654, .lateness_ns = 4'000'000'000};
  EXPECT_EQ(read_stamp(stamped(stamp)), stamp);
}

TEST(Stamp, knows_when_its_frame_was_due) {
  EXPECT_EQ((Stamp{.call = 1, .frame = 1, .sent_ns = 5000, .lateness_ns = 1200}).due_ns(), 3800);
}

TEST(Stamp, is_not_read_when_any_bit_of_the_frame_has_changed) {
  auto const good = stamped(numbered(3));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(read_stamp(bad)) << bit;
  }
}

TEST(StampReader, finds_all_frames_in_pieces_of_any_length) {
  auto const audio = frames(0, 12);
  for (std::size_t piece = 1; piece <= 500; ++piece) {
    StampReader reader;
    Heard heard;
    for (std::size_t at = 0; at < audio.size(); at += piece)
      reader.take(std::span{audio}.subspan(at, std::min(piece, audio.size() - at)), heard);
    ASSERT_EQ(heard.stamps.size(), 12U) << piece;
    EXPECT_EQ(heard.damages, 0) << piece;
    for (std::uint32_t i = 0; i < 12; ++i) EXPECT_EQ(heard.stamps[i], numbered(i));
  }
}

TEST(StampReader, takes_silence_between_frames_for_what_it_is) {
  auto audio = frames(0, 1);
  audio.insert(audio.end(), 5 * media::mulaw_frame_bytes + 77, media::mulaw_silence);
  auto const more = frames(1, 3);
  audio.insert(audio.end(), more.begin(), more.end());
  StampReader reader;
  Heard heard;
  reader.take(audio, heard);
  EXPECT_EQ(numbers(heard), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(heard.damages, 0);
}

TEST(StampReader, reports_a_changed_frame_once_and_reads_on_behind_it) {
  auto audio = frames(0, 4);
  audio[1 * media::mulaw_frame_bytes + 100] ^= 0x10;
  StampReader reader;
  Heard heard;
  reader.take(audio, heard);
  EXPECT_EQ(numbers(heard), (std::vector<std::uint32_t>{0, 2, 3}));
  EXPECT_EQ(heard.damages, 1);
}

TEST(StampReader, reads_on_when_bytes_are_missing_in_the_middle) {
  auto audio = frames(0, 5);
  audio.erase(audio.begin() + 200, audio.begin() + 231);
  StampReader reader;
  Heard heard;
  reader.take(audio, heard);
  EXPECT_EQ(numbers(heard), (std::vector<std::uint32_t>{0, 2, 3, 4}));
  EXPECT_EQ(heard.damages, 1);
}

}  // namespace
