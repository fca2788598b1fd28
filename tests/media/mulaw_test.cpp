#include "media/mulaw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "tests/media/sox.h"

namespace {

using media_test::sox;

std::vector<std::int16_t> every_sample() {
  std::vector<std::int16_t> samples;
  for (int value = -32768; value <= 32767; ++value) samples.push_back(static_cast<std::int16_t>(value));
  return samples;
}

std::vector<std::uint8_t> every_code() {
  std::vector<std::uint8_t> codes;
  for (int code = 0; code <= 255; ++code) codes.push_back(static_cast<std::uint8_t>(code));
  return codes;
}

std::vector<std::uint8_t> encoded_by_sox(std::vector<std::int16_t> const& samples) {
  media_test::TempFolder folder;
  media_test::put_file(folder / "in.raw", samples);
  sox("-t raw -r 8000 -e signed -b 16 -c 1 " + (folder / "in.raw").string() + " -t raw -e mu-law -b 8 " +
      (folder / "out.ul").string());
  return media_test::bytes_of(folder / "out.ul");
}

std::vector<std::int16_t> decoded_by_sox(std::vector<std::uint8_t> const& codes) {
  media_test::TempFolder folder;
  media_test::put_file(folder / "in.ul", codes);
  sox("-t raw -r 8000 -e mu-law -b 8 -c 1 " + (folder / "in.ul").string() + " -t raw -e signed -b 16 " +
      (folder / "out.raw").string());
  return media_test::samples_of(folder / "out.raw");
}

// G.711 (11/88) table 2a read literally: the decision values of each segment begin at these points of the 8159 scale
// and go up by these steps; segment 1 is one interval of width 1 and fifteen of width 2.
std::uint8_t encoded_by_the_table(int sample) {
  struct Segment {
    double begin, step;
  };
  constexpr std::array<Segment, 8> segments{
      {{-1, 2}, {31, 4}, {95, 8}, {223, 16}, {479, 32}, {991, 64}, {2015, 128}, {4063, 256}}};
  double const magnitude = std::abs(sample) / 4.0;
  int interval = 0;
  for (int segment = 0; segment < 8; ++segment) {
    for (int step = 0; step < 16; ++step) {
      auto const& s = segments[static_cast<std::size_t>(segment)];
      if (magnitude >= s.begin + s.step * step) interval = segment * 16 + step;
    }
  }
  return static_cast<std::uint8_t>((sample < 0 ? 0x7F : 0xFF) - interval);
}

TEST(Mulaw, decodes_every_code_as_sox_does) {
  auto const codes = every_code();
  std::vector<std::int16_t> decoded(codes.size());
  media::mulaw_to_linear(codes, decoded);
  EXPECT_EQ(decoded, decoded_by_sox(codes));
}

TEST(Mulaw, encodes_every_sample_as_table_2a_of_the_recommendation_says) {
  for (auto const sample : every_sample()) {
    ASSERT_EQ(int{media::linear_to_mulaw(sample)}, int{encoded_by_the_table(sample)}) << sample;
  }
}

// sox rounds to 14 bits before it looks into its table. A sample cut to 14 bits leaves it nothing to round.
TEST(Mulaw, encodes_every_sample_as_sox_encodes_its_upper_fourteen_bits) {
  auto const samples = every_sample();
  auto cut = samples;
  for (auto& sample : cut) sample = static_cast<std::int16_t>(sample / 4 * 4);
  std::vector<std::uint8_t> encoded(samples.size());
  media::linear_to_mulaw(samples, encoded);
  auto const reference = encoded_by_sox(cut);
  ASSERT_EQ(reference.size(), encoded.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    bool const lost_its_sign = samples[i] < 0 && cut[i] == 0;  // -3 to -1
    auto const expected = lost_its_sign ? 0x7F : int{reference[i]};
    ASSERT_EQ(int{encoded[i]}, expected) << samples[i];
  }
}

TEST(Mulaw, is_closer_to_the_sample_than_the_rounding_of_sox) {
  auto const samples = every_sample();
  auto const reference = encoded_by_sox(samples);
  ASSERT_EQ(reference.size(), samples.size());
  double ours = 0;
  double theirs = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double const our_error = samples[i] - media::mulaw_to_linear(media::linear_to_mulaw(samples[i]));
    double const their_error = samples[i] - media::mulaw_to_linear(reference[i]);
    ours += our_error * our_error;
    theirs += their_error * their_error;
  }
  EXPECT_LT(ours, theirs);
}

TEST(Mulaw, gives_every_code_back_except_negative_zero_which_has_no_sample_of_its_own) {
  for (auto const code : every_code()) {
    auto const back = media::linear_to_mulaw(media::mulaw_to_linear(code));
    EXPECT_EQ(int{back}, code == 0x7F ? 0xFF : int{code});
  }
}

TEST(Mulaw, treats_a_span_like_its_samples_one_by_one) {
  auto const samples = every_sample();
  std::vector<std::uint8_t> encoded(samples.size());
  media::linear_to_mulaw(samples, encoded);
  for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_EQ(encoded[i], media::linear_to_mulaw(samples[i]));
  std::vector<std::int16_t> decoded(encoded.size());
  media::mulaw_to_linear(encoded, decoded);
  for (std::size_t i = 0; i < encoded.size(); ++i) ASSERT_EQ(decoded[i], media::mulaw_to_linear(encoded[i]));
}

}  // namespace
