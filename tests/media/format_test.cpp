#include "media/format.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(AudioFormat, reads_every_name_that_the_agent_provider_uses) {
  EXPECT_EQ(media::parse_format("ulaw_8000").value(), media::telephone);
  for (auto const rate : {8000U, 16000U, 22050U, 24000U, 44100U, 48000U}) {
    media::AudioFormat const expected{media::Codec::pcm16, rate};
    EXPECT_EQ(media::parse_format("pcm_" + std::to_string(rate)).value(), expected);
    EXPECT_EQ(media::to_string(expected), "pcm_" + std::to_string(rate));
  }
  EXPECT_EQ(media::to_string(media::telephone), "ulaw_8000");
}

TEST(AudioFormat, names_the_format_that_it_does_not_know) {
  for (auto const* name :
       {"mp3_44100_128", "opus_48000_64", "pcm_11025", "ulaw_16000", "PCM_16000", "pcm_16000 ", ""}) {
    auto const result = media::parse_format(name);
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().fault, base::Fault::protocol);
    EXPECT_NE(result.error().detail.find('"' + std::string{name} + '"'), std::string::npos);
  }
}

TEST(AudioFormat, quotes_a_hostile_name_short_and_printable) {
  auto const result = media::parse_format("evil\n\x1b[31m" + std::string(100'000, 'x'));
  ASSERT_FALSE(result.has_value());
  EXPECT_LT(result.error().detail.size(), 100U);
  for (auto const c : result.error().detail) EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(AudioFormat, knows_how_many_bytes_a_second_take) {
  EXPECT_EQ(media::bytes_per_second(media::telephone), 8000U);
  EXPECT_EQ(media::bytes_per_second({media::Codec::pcm16, 44100}), 88200U);
  EXPECT_EQ(media::bytes_per_second(media::telephone) * media::frame_duration.count() / 1000, media::mulaw_frame_bytes);
}

}  // namespace
