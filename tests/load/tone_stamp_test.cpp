#include "loadtest/load/tone_stamp.h"

#include <gtest/gtest.h>

#include <vector>

#include "media/transcoder.h"

namespace {

using namespace sim::load;

constexpr media::AudioFormat wide{media::Codec::pcm16, 16000};

struct Heard : ToneEvents {
  void on_tone(ToneStamp stamp) override { stamps.push_back(stamp); }
  void on_damage() override { ++damages; }
  std::vector<ToneStamp> stamps;
  int damages = 0;
};

std::vector<std::uint8_t> tone(std::uint32_t call, std::uint32_t frame, media::AudioFormat format) {
  std::vector<std::uint8_t> audio;
  append_tone({call, frame}, format, audio);
  return audio;
}

class ToneStampThroughTheTranscoder : public testing::TestWithParam<std::pair<media::AudioFormat, media::AudioFormat>> {
};

TEST_P(ToneStampThroughTheTranscoder, is_heard_with_the_very_message_that_carried_it) {
  auto const [from, to] = GetParam();
  media::Transcoder transcoder{from, to};
  ToneReader reader{to};
  Heard heard;
  for (std::uint32_t frame = 0; frame < 3000; ++frame) {
    std::vector<std::uint8_t> converted;
    transcoder.convert(tone(frame * 37, frame, from), converted);
    reader.take(converted, heard);
    ASSERT_EQ(heard.stamps.size(), frame + 1);
    ASSERT_EQ(heard.stamps.back().frame, frame);
    ASSERT_EQ(heard.stamps.back().call, frame * 37 % ToneStamp::calls);
  }
  EXPECT_EQ(heard.damages, 0);
}

TEST_P(ToneStampThroughTheTranscoder, is_found_again_after_a_cut_in_the_sound) {
  auto const [from, to] = GetParam();
  media::Transcoder transcoder{from, to};
  ToneReader reader{to};
  Heard heard;
  std::vector<std::uint8_t> converted;
  transcoder.convert(tone(1, 0, from), converted);
  reader.take(converted, heard);
  auto const cut = tone(1, 1, from);
  converted.clear();
  transcoder.convert(std::span{cut}.first(cut.size() / 2), converted);
  transcoder.convert(tone(1, 2, from), converted);
  transcoder.convert(tone(1, 3, from), converted);
  reader.take(converted, heard);
  ASSERT_EQ(heard.stamps.size(), 3U);
  EXPECT_EQ(heard.stamps[1].frame, 2U);
  EXPECT_EQ(heard.stamps[2].frame, 3U);
}

INSTANTIATE_TEST_SUITE_P(BothWays, ToneStampThroughTheTranscoder,
                         testing::Values(std::pair{media::telephone, wide}, std::pair{wide, media::telephone},
                                         std::pair{media::telephone, media::telephone}));

TEST(ToneReader, reads_frames_that_arrive_in_pieces) {
  std::vector<std::uint8_t> audio;
  for (std::uint32_t frame = 0; frame < 20; ++frame) append_tone({5, frame}, wide, audio);
  for (std::size_t const piece : {2UL, 14UL, 158UL, 642UL, 5000UL}) {
    ToneReader reader{wide};
    Heard heard;
    for (std::size_t at = 0; at < audio.size(); at += piece)
      reader.take(std::span{audio}.subspan(at, std::min(piece, audio.size() - at)), heard);
    ASSERT_EQ(heard.stamps.size(), 20U) << piece;
    EXPECT_EQ(heard.damages, 0);
  }
}

TEST(ToneReader, hears_nothing_in_silence) {
  ToneReader reader{media::telephone};
  Heard heard;
  reader.take(std::vector<std::uint8_t>(8000, media::mulaw_silence), heard);
  EXPECT_TRUE(heard.stamps.empty());
  EXPECT_EQ(heard.damages, 0);
}

TEST(ToneReader, reports_a_frame_whose_bits_contradict_each_other) {
  auto audio = tone(9, 1, media::telephone);
  // One bit turned over: two steps up from a level below zero is the same level above it.
  for (std::size_t i = 80; i < 84; ++i) audio[i] ^= 0x80;
  auto const next = tone(9, 2, media::telephone);
  audio.insert(audio.end(), next.begin(), next.end());
  ToneReader reader{media::telephone};
  Heard heard;
  reader.take(audio, heard);
  EXPECT_EQ(heard.damages, 1);
  ASSERT_EQ(heard.stamps.size(), 1U);
  EXPECT_EQ(heard.stamps[0].frame, 2U);
}

TEST(Uncut, finds_the_number_nearest_to_the_expected_one) {
  EXPECT_EQ(uncut(5, 8192, 5), 5U);
  EXPECT_EQ(uncut(3, 8192, 8192), 8195U);
  EXPECT_EQ(uncut(8190, 8192, 8195), 8190U);
  EXPECT_EQ(uncut(8190, 8192, 3), 8190U) << "there is no number below zero";
  EXPECT_EQ(uncut(7, 8192, 5), 7U);
}

}  // namespace
