#include "media/level.h"

#include <gtest/gtest.h>

#include <vector>

#include "media/frame.h"
#include "media/mulaw.h"
#include "tests/media/signal.h"

namespace {

std::vector<std::uint8_t> mulaw_tone(double amplitude) {
  auto const samples = media_test::tone(500, 8000, 0.02, amplitude);
  std::vector<std::uint8_t> codes(samples.size());
  media::linear_to_mulaw(samples, codes);
  return codes;
}

TEST(Level, measures_a_full_scale_tone_near_zero_and_three_below) {
  auto const tone = mulaw_tone(32000);
  EXPECT_NEAR(media::peak_dbfs(tone), 0.0F, 0.3F);
  EXPECT_NEAR(media::rms_dbfs(tone), -3.1F, 0.2F);
}

TEST(Level, falls_by_twenty_for_a_tenth_of_the_amplitude) {
  EXPECT_NEAR(media::rms_dbfs(mulaw_tone(16000)) - media::rms_dbfs(mulaw_tone(1600)), 20.0F, 0.3F);
  EXPECT_NEAR(media::peak_dbfs(mulaw_tone(16000)) - media::peak_dbfs(mulaw_tone(1600)), 20.0F, 0.5F);
}

TEST(Level, calls_both_zeros_and_no_audio_silence) {
  for (auto const code : {std::uint8_t{0xFF}, std::uint8_t{0x7F}}) {
    std::vector<std::uint8_t> const quiet(160, code);
    EXPECT_EQ(media::peak_dbfs(quiet), media::silence_dbfs);
    EXPECT_EQ(media::rms_dbfs(quiet), media::silence_dbfs);
  }
  EXPECT_EQ(media::peak_dbfs({}), media::silence_dbfs);
  EXPECT_EQ(media::rms_dbfs({}), media::silence_dbfs);
}

TEST(Level, tells_a_quiet_voice_from_the_noise_of_the_line) {
  EXPECT_TRUE(media::sounds_like_speech(mulaw_tone(465)));   // -40 dBFS
  EXPECT_FALSE(media::sounds_like_speech(mulaw_tone(147)));  // -50 dBFS
  EXPECT_FALSE(media::sounds_like_speech(std::vector<std::uint8_t>(160, media::mulaw_silence)));
  EXPECT_FALSE(media::sounds_like_speech({}));
}

}  // namespace
