#include "media/framer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace {

using Frames = std::vector<media::MulawFrame>;

std::vector<std::uint8_t> ramp(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return bytes;
}

std::vector<std::uint8_t> joined(Frames const& frames) {
  std::vector<std::uint8_t> bytes;
  for (auto const& frame : frames) bytes.insert(bytes.end(), frame.bytes.begin(), frame.bytes.end());
  return bytes;
}

TEST(Framer, carries_the_odd_tail_into_the_next_chunk) {
  auto const audio = ramp(320);
  media::Framer framer;
  Frames frames;
  framer.push(std::span{audio}.first(250), frames);
  EXPECT_EQ(frames.size(), 1U);
  EXPECT_EQ(framer.pending_bytes(), 90U);
  framer.push(std::span{audio}.subspan(250), frames);
  EXPECT_EQ(joined(frames), audio);
  EXPECT_EQ(framer.pending_bytes(), 0U);
}

TEST(Framer, cuts_the_same_frames_however_the_audio_arrives) {
  auto const audio = ramp(160 * 20);
  for (std::size_t const chunk : {1U, 2U, 3U, 159U, 160U, 161U, 333U, 3200U}) {
    media::Framer framer;
    Frames frames;
    for (std::size_t at = 0; at < audio.size(); at += chunk) {
      framer.push(std::span{audio}.subspan(at, std::min(chunk, audio.size() - at)), frames);
      ASSERT_EQ(frames.size(), std::min(at + chunk, audio.size()) / 160);
    }
    EXPECT_EQ(joined(frames), audio) << chunk;
  }
}

TEST(Framer, pads_the_end_of_an_utterance_with_silence) {
  auto audio = ramp(170);
  media::Framer framer;
  Frames frames;
  framer.push(audio, frames);
  framer.flush(frames);
  audio.resize(320, media::mulaw_silence);
  EXPECT_EQ(joined(frames), audio);
  framer.flush(frames);
  EXPECT_EQ(frames.size(), 2U);
}

TEST(Framer, forgets_the_tail_of_an_interrupted_utterance) {
  media::Framer framer;
  Frames frames;
  framer.push(ramp(100), frames);
  framer.clear();
  auto const next = ramp(160);
  framer.push(next, frames);
  EXPECT_EQ(joined(frames), next);
}

}  // namespace
