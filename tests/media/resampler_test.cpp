#include "media/resampler.h"

#include <gtest/gtest.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "tests/media/signal.h"

namespace {

using media::Resampler;
using media_test::Samples;

struct Rates {
  std::uint32_t from;
  std::uint32_t to;
};

std::vector<Rates> with_the_telephone() {
  std::vector<Rates> pairs;
  for (auto const rate : {16000U, 22050U, 24000U, 44100U, 48000U}) {
    pairs.push_back({8000, rate});
    pairs.push_back({rate, 8000});
  }
  return pairs;
}

std::string name(Rates rates) {
  return std::to_string(rates.from) + " to " + std::to_string(rates.to);
}

Samples converted(Samples const& in, Rates rates) {
  Resampler resampler{rates.from, rates.to};
  Samples out;
  resampler.convert(in, out);
  resampler.flush(out);
  return out;
}

Samples by_soxr(Samples const& in, Rates rates) {
  auto const type = soxr_io_spec(SOXR_INT16_I, SOXR_INT16_I);
  auto const quality = soxr_quality_spec(SOXR_VHQ, 0);
  Samples out(in.size() * rates.to / rates.from + 16);
  std::size_t done = 0;
  auto const* error = soxr_oneshot(rates.from, rates.to, 1, in.data(), in.size(), nullptr, out.data(), out.size(),
                                   &done, &type, &quality, nullptr);
  if (error != nullptr) ADD_FAILURE() << error;
  out.resize(done);
  return out;
}

std::size_t delay_in_samples(Rates rates) {
  return static_cast<std::size_t>(std::lround(Resampler{rates.from, rates.to}.delay().count() * 1e-6 * rates.to));
}

TEST(Resampler, brings_a_tone_to_sixteen_kilohertz_and_back_as_soxr_does) {
  auto const tone = media_test::tone(1000, 8000, 3);
  auto const ours = converted(converted(tone, {8000, 16000}), {16000, 8000});
  auto const reference = by_soxr(by_soxr(tone, {8000, 16000}), {16000, 8000});
  auto const delay = 2 * delay_in_samples({16000, 8000});
  EXPECT_GE(media_test::snr_db(reference, ours, delay, 8000), 55.0);
  EXPECT_GE(media_test::snr_db(tone, ours, delay, 8000), 55.0);
}

TEST(Resampler, brings_a_tone_from_twenty_four_kilohertz_as_soxr_does) {
  auto const tone = media_test::tone(1000, 24000, 3);
  auto const ours = converted(tone, {24000, 8000});
  EXPECT_GE(media_test::snr_db(by_soxr(tone, {24000, 8000}), ours, delay_in_samples({24000, 8000}), 8000), 55.0);
}

TEST(Resampler, keeps_the_telephone_band_clean_and_level_at_every_rate) {
  for (auto const rates : with_the_telephone()) {
    for (auto const hz : {300.0, 1000.0, 2000.0, 3000.0, 3400.0}) {
      auto const tone = media_test::tone(hz, rates.from, 3);
      auto const out = converted(tone, rates);
      EXPECT_GE(media_test::tone_to_rest_db(out, hz, rates.to), 55.0) << name(rates) << " at " << hz;
      auto const gain =
          media_test::decibels(media_test::middle_rms(out, rates.to) / media_test::middle_rms(tone, rates.from));
      EXPECT_NEAR(gain, 0.0, 0.1) << name(rates) << " at " << hz;
    }
  }
}

TEST(Resampler, lets_nothing_above_the_telephone_band_fold_into_it) {
  for (auto const rates : with_the_telephone()) {
    if (rates.from < rates.to) continue;
    for (auto const hz : {4600.0, 5000.0, 6000.0, 7000.0, 7900.0, 10000.0, 11000.0, 20000.0}) {
      if (hz * 2 > rates.from) continue;
      auto const tone = media_test::tone(hz, rates.from, 3);
      auto const rest =
          media_test::middle_rms(converted(tone, rates), rates.to) / media_test::middle_rms(tone, rates.from);
      EXPECT_LE(media_test::decibels(rest), -55.0) << name(rates) << " at " << hz;
    }
  }
}

TEST(Resampler, makes_the_same_of_a_stream_however_it_is_cut) {
  std::mt19937 random{7};
  Samples noise(20'000);
  for (auto& sample : noise) sample = static_cast<std::int16_t>(random());
  for (auto const rates : with_the_telephone()) {
    auto const whole = converted(noise, rates);
    for (std::size_t const longest : {1U, 3U, 160U, 441U, 5000U}) {
      Resampler resampler{rates.from, rates.to};
      Samples pieces;
      for (std::size_t at = 0; at < noise.size();) {
        auto const size = std::min<std::size_t>(random() % longest + 1, noise.size() - at);
        resampler.convert(std::span{noise}.subspan(at, size), pieces);
        at += size;
      }
      resampler.flush(pieces);
      ASSERT_EQ(pieces, whole) << name(rates) << " in pieces of up to " << longest;
    }
  }
}

TEST(Resampler, does_not_drift_in_ten_minutes) {
  for (auto const rates : with_the_telephone()) {
    Resampler resampler{rates.from, rates.to};
    Samples const frame(rates.from / 50, 1000);
    Samples out;
    std::uint64_t in_count = 0;
    std::uint64_t out_count = 0;
    for (int i = 0; i < 10 * 60 * 50; ++i) {
      out.clear();
      resampler.convert(frame, out);
      in_count += frame.size();
      out_count += out.size();
      ASSERT_EQ(out_count, (in_count * rates.to + rates.from - 1) / rates.from) << name(rates);
    }
  }
}

TEST(Resampler, gives_a_whole_frame_for_a_whole_frame) {
  for (auto const rate : {16000U, 24000U, 48000U}) {
    Resampler up{8000, rate};
    Resampler down{rate, 8000};
    for (int i = 0; i < 10; ++i) {
      Samples wide;
      up.convert(Samples(160, 5), wide);
      EXPECT_EQ(wide.size(), rate / 50);
      Samples narrow;
      down.convert(wide, narrow);
      EXPECT_EQ(narrow.size(), 160U);
    }
  }
}

/// Where in time the centre of a pulse lies, in seconds.
double centre(Samples const& samples, std::uint32_t rate) {
  double weight = 0;
  double moment = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    weight += samples[i];
    moment += static_cast<double>(samples[i]) * static_cast<double>(i);
  }
  return moment / weight / rate;
}

TEST(Resampler, delays_a_pulse_by_what_it_says_and_gives_all_of_it_at_the_flush) {
  for (auto const rates : with_the_telephone()) {
    Samples in(rates.from / 50);
    auto const length = in.size() / 5;  // the last 4 ms: its end is still in the filter when the stream stops
    for (std::size_t i = 0; i < length; ++i) {
      auto const along = (static_cast<double>(i) + 0.5) / static_cast<double>(length);
      in[in.size() - length + i] = static_cast<std::int16_t>(10000 * (1 - std::cos(2 * std::numbers::pi * along)));
    }
    Resampler resampler{rates.from, rates.to};
    EXPECT_LE(resampler.delay(), std::chrono::milliseconds{2});
    Samples out;
    resampler.convert(in, out);
    resampler.flush(out);
    EXPECT_NEAR(centre(out, rates.to) - centre(in, rates.from), resampler.delay().count() * 1e-6, 10e-6) << name(rates);
    auto const sent = std::accumulate(in.begin(), in.end(), 0.0) / rates.from;
    auto const heard = std::accumulate(out.begin(), out.end(), 0.0) / rates.to;
    EXPECT_NEAR(heard / sent, 1.0, 0.002) << name(rates);
  }
}

TEST(Resampler, starts_afresh_after_a_reset_and_after_a_flush) {
  auto const tone = media_test::tone(700, 22050, 0.1);
  Resampler resampler{22050, 8000};
  Samples first;
  resampler.convert(tone, first);
  Samples after_reset;
  resampler.reset();
  resampler.convert(tone, after_reset);
  EXPECT_EQ(after_reset, first);
  resampler.flush(after_reset);
  Samples after_flush;
  resampler.convert(tone, after_flush);
  EXPECT_EQ(after_flush, first);
}

TEST(Resampler, clips_instead_of_wrapping_around) {
  Samples square(8000);
  for (std::size_t i = 0; i < square.size(); ++i) square[i] = i / 8 % 2 == 0 ? 32767 : -32768;
  for (auto const rate : {16000U, 44100U}) {
    auto const out = converted(square, {8000, rate});
    for (std::size_t i = 100; i + 100 < out.size(); ++i) {
      auto const in_at = (static_cast<double>(i) / rate - 0.0015) * 8000;
      auto const inside = std::fmod(in_at, 8);
      if (inside < 2 || inside > 5) continue;
      auto const positive = static_cast<long>(in_at / 8) % 2 == 0;
      ASSERT_EQ(out[i] > 0, positive) << i;
    }
  }
}

TEST(Resampler, copies_at_once_between_equal_rates) {
  auto const tone = media_test::tone(440, 8000, 0.05);
  Resampler resampler{8000, 8000};
  Samples out;
  resampler.convert(tone, out);
  EXPECT_EQ(out, tone);
  EXPECT_EQ(resampler.delay().count(), 0);
  resampler.flush(out);
  EXPECT_EQ(out, tone);
}

TEST(Resampler, converts_odd_rates_of_files_too) {
  for (auto const rate : {11025U, 32000U, 37800U, 96000U, 192000U}) {
    Rates const rates{rate, 8000};
    auto const out = converted(media_test::tone(1000, rate, 3), rates);
    EXPECT_GE(media_test::tone_to_rest_db(out, 1000, 8000), 50.0) << rate;
  }
}

TEST(Resampler, refuses_rates_that_are_no_audio) {
  EXPECT_FALSE(Resampler::supports(0, 8000));
  EXPECT_FALSE(Resampler::supports(8000, 1'000'000));
  EXPECT_THROW((Resampler{8000, 7999}), std::invalid_argument);
  EXPECT_THROW((Resampler{192001, 8000}), std::invalid_argument);
}

}  // namespace
