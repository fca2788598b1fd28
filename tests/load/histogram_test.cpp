#include "loadtest/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using sim::load::Histogram;

TEST(Histogram, tells_every_percentile_within_one_percent) {
  std::mt19937 dice{7};
  std::lognormal_distribution<double> spread{13, 2.5};
  std::vector<std::int64_t> all;
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    auto const value = static_cast<std::int64_t>(spread(dice));
    all.push_back(value);
    histogram.record(value);
  }
  std::ranges::sort(all);
  for (double const share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    auto const exact =
        static_cast<double>(all[static_cast<std::size_t>(share * static_cast<double>(all.size()) - 0.5)]);
    EXPECT_NEAR(static_cast<double>(histogram.at(share)), exact, exact * 0.01 + 1) << share;
  }
  EXPECT_EQ(histogram.max_ns(), all.back());
}

TEST(Histogram, is_exact_for_one_value_of_any_size) {
  for (std::int64_t value = 1; value < 1'000'000'000'000; value = value * 3 + 1) {
    Histogram histogram;
    histogram.record(value);
    EXPECT_NEAR(static_cast<double>(histogram.at(0.5)), static_cast<double>(value),
                static_cast<double>(value) * 0.005 + 0.5);
    EXPECT_EQ(histogram.max_ns(), value);
  }
}

TEST(Histogram, counts_what_is_below_zero_as_nothing) {
  Histogram histogram;
  histogram.record(-5'000'000);
  EXPECT_EQ(histogram.count(), 1);
  EXPECT_EQ(histogram.at(1), 0);
}

TEST(Histogram, is_empty_after_it_was_cleared) {
  Histogram histogram;
  histogram.record(1000);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.at(0.99), 0);
  EXPECT_EQ(histogram.distribution().count, 0);
}

TEST(Histogram, keeps_every_value_in_its_bars) {
  Histogram histogram;
  for (std::int64_t i = 1; i <= 10'000; ++i) histogram.record(i * 1000);
  auto const all = histogram.distribution();
  EXPECT_EQ(all.count, 10'000);
  EXPECT_NEAR(all.p50_ms, 5, 0.05);
  EXPECT_NEAR(all.p999_ms, 9.99, 0.1);
  EXPECT_DOUBLE_EQ(all.max_ms, 10);
  EXPECT_NEAR(all.mean_ms, 5.0005, 0.0001);
  std::int64_t in_bars = 0;
  double edge = 0;
  for (auto const& bar : all.histogram) {
    EXPECT_GT(bar.up_to_ms, edge);
    edge = bar.up_to_ms;
    in_bars += bar.count;
  }
  EXPECT_EQ(in_bars, 10'000);
  EXPECT_GE(edge, all.max_ms);
}

TEST(Histogram, adds_up_with_another) {
  Histogram few;
  Histogram many;
  few.record(10);
  many.record(5000);
  many.record(7000);
  few.add(many);
  EXPECT_EQ(few.count(), 3);
  EXPECT_EQ(few.max_ns(), 7000);
}

}  // namespace
