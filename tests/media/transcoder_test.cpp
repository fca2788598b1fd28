#include "media/transcoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "media/mulaw.h"
#include "tests/media/signal.h"

namespace {

using media::AudioFormat;
using media::Codec;
using media::Transcoder;
using Bytes = std::vector<std::uint8_t>;

std::vector<AudioFormat> agent_formats() {
  std::vector<AudioFormat> formats{media::telephone};
  for (auto const rate : {8000U, 16000U, 22050U, 24000U, 44100U, 48000U}) formats.push_back({Codec::pcm16, rate});
  return formats;
}

Bytes in_format(AudioFormat format, media_test::Samples const& samples) {
  Bytes bytes;
  if (format.codec == Codec::mulaw) {
    bytes.resize(samples.size());
    media::linear_to_mulaw(samples, bytes);
    return bytes;
  }
  for (auto const sample : samples) {
    bytes.push_back(static_cast<std::uint8_t>(sample));
    bytes.push_back(static_cast<std::uint8_t>(sample >> 8));
  }
  return bytes;
}

media_test::Samples as_samples(AudioFormat format, Bytes const& bytes) {
  media_test::Samples samples(bytes.size() / media::bytes_per_sample(format.codec));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = format.codec == Codec::mulaw ? media::mulaw_to_linear(bytes[i])
                                              : static_cast<std::int16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
  }
  return samples;
}

Bytes converted(AudioFormat from, AudioFormat to, Bytes const& in) {
  Transcoder transcoder{from, to};
  Bytes out;
  transcoder.convert(in, out);
  transcoder.flush(out);
  return out;
}

TEST(Transcoder, carries_a_voice_to_a_pcm_agent_and_back) {
  auto const caller = in_format(media::telephone, media_test::tone(1000, 8000, 3));
  AudioFormat const agent{Codec::pcm16, 16000};
  auto const back = converted(agent, media::telephone, converted(media::telephone, agent, caller));
  Transcoder const either{agent, media::telephone};
  auto const delay = static_cast<std::size_t>(2 * either.delay().count() * 8 / 1000);
  auto const said = as_samples(media::telephone, caller);
  auto const heard = as_samples(media::telephone, back);
  EXPECT_GE(media_test::snr_db(said, heard, delay, 8000), 35.0);
}

TEST(Transcoder, keeps_a_tone_between_the_telephone_and_every_agent_format) {
  for (auto const agent : agent_formats()) {
    for (auto const& [from, to] : {std::pair{media::telephone, agent}, std::pair{agent, media::telephone}}) {
      auto const tone = in_format(from, media_test::tone(1000, from.rate, 3));
      auto const out = as_samples(to, converted(from, to, tone));
      EXPECT_GE(media_test::tone_to_rest_db(out, 1000, to.rate), 30.0) << to_string(from) << " to " << to_string(to);
      EXPECT_NEAR(static_cast<double>(out.size()) / to.rate, 3.0, 0.003) << to_string(from) << " to " << to_string(to);
    }
  }
}

TEST(Transcoder, makes_the_same_of_a_stream_however_its_bytes_are_cut) {
  std::mt19937 random{3};
  Bytes noise(30'000);
  for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
  for (auto const agent : agent_formats()) {
    for (auto const& [from, to] : {std::pair{media::telephone, agent}, std::pair{agent, media::telephone}}) {
      auto const whole = converted(from, to, noise);
      for (std::size_t const longest : {1U, 2U, 7U, 641U, 4000U}) {
        Transcoder transcoder{from, to};
        Bytes pieces;
        for (std::size_t at = 0; at < noise.size();) {
          auto const size = std::min<std::size_t>(random() % longest + 1, noise.size() - at);
          transcoder.convert(std::span{noise}.subspan(at, size), pieces);
          at += size;
        }
        transcoder.flush(pieces);
        ASSERT_EQ(pieces, whole) << to_string(from) << " to " << to_string(to) << " by " << longest;
      }
    }
  }
}

TEST(Transcoder, lets_the_odd_byte_of_a_sample_wait_for_its_other_half) {
  Transcoder transcoder{{Codec::pcm16, 8000}, media::telephone};
  Bytes out;
  transcoder.convert(Bytes{0x34}, out);
  EXPECT_TRUE(out.empty());
  transcoder.convert(Bytes{0x12, 0xFF}, out);
  EXPECT_EQ(out, Bytes{media::linear_to_mulaw(0x1234)});
  transcoder.reset();
  transcoder.convert(Bytes{0x34, 0x12}, out);
  EXPECT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0], out[1]);
}

TEST(Transcoder, copies_equal_formats_byte_for_byte) {
  Bytes const audio{0, 1, 2, 0x7F, 0x80, 0xFF, 5};
  for (auto const format : agent_formats()) EXPECT_EQ(converted(format, format, audio), audio);
}

TEST(Transcoder, turns_a_caller_frame_into_the_same_time_of_agent_audio) {
  Transcoder up{media::telephone, {Codec::pcm16, 16000}};
  Transcoder down{{Codec::pcm16, 24000}, media::telephone};
  for (int i = 0; i < 50; ++i) {
    Bytes to_agent;
    up.convert(Bytes(media::mulaw_frame_bytes, media::mulaw_silence), to_agent);
    EXPECT_EQ(to_agent, Bytes(640, 0));
    Bytes to_caller;
    down.convert(Bytes(960, 0), to_caller);
    EXPECT_EQ(to_caller, Bytes(media::mulaw_frame_bytes, media::mulaw_silence));
  }
}

TEST(Transcoder, starts_the_next_utterance_without_an_echo_of_the_last) {
  Transcoder transcoder{{Codec::pcm16, 24000}, media::telephone};
  Bytes out;
  transcoder.convert(in_format({Codec::pcm16, 24000}, media_test::tone(500, 24000, 0.1, 30000)), out);
  transcoder.reset();
  out.clear();
  transcoder.convert(Bytes(960, 0), out);
  EXPECT_EQ(out, Bytes(media::mulaw_frame_bytes, media::mulaw_silence));
}

}  // namespace
