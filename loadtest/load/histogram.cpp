#include "loadtest/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sim::load {
namespace {

// Every power of two is cut into 128: a bucket is at most 1/128 of its value wide.
constexpr unsigned bits = 7;
constexpr std::uint64_t steps = 1U << bits;
constexpr unsigned highest_bit = 50;  // thirteen days
constexpr std::size_t buckets = (highest_bit - bits + 2) * steps;

std::size_t bucket_of(std::uint64_t value) {
  if (value < steps) return value;
  auto const power = static_cast<unsigned>(std::bit_width(value)) - 1;
  if (power > highest_bit) return buckets - 1;
  return (power - bits + 1) * steps + ((value >> (power - bits)) & (steps - 1));
}

/// The first value above the bucket.
double end_of(std::size_t bucket) {
  if (bucket < steps) return static_cast<double>(bucket) + 1;
  auto const power = bucket / steps - 1;
  return static_cast<double>((steps + bucket % steps + 1) << power);
}

double middle_of(std::size_t bucket) {
  if (bucket < steps) return static_cast<double>(bucket);
  auto const width = static_cast<double>(1ULL << (bucket / steps - 1));
  return end_of(bucket) - width / 2;
}

constexpr double ns_per_ms = 1e6;

// Bars of the drawing: every power of two cut into eight.
constexpr std::size_t buckets_per_bar = steps / 8;

}  // namespace

Histogram::Histogram() : counts_(buckets) {}

void Histogram::record(std::int64_t nanoseconds) {
  auto const value = std::max<std::int64_t>(nanoseconds, 0);
  ++counts_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::clear() {
  std::ranges::fill(counts_, 0);
  count_ = max_ = 0;
  sum_ = 0;
}

void Histogram::add(Histogram const& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

std::int64_t Histogram::at(double share) const {
  if (count_ == 0) return 0;
  auto const wanted = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(count_)));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(max_, static_cast<std::int64_t>(middle_of(i)));
  }
  return max_;
}

Distribution Histogram::distribution() const {
  auto const ms = [this](double share) { return static_cast<double>(at(share)) / ns_per_ms; };
  Distribution all;
  all.count = count_;
  if (count_ == 0) return all;
  all.p50_ms = ms(0.5);
  all.p90_ms = ms(0.9);
  all.p99_ms = ms(0.99);
  all.p999_ms = ms(0.999);
  all.max_ms = static_cast<double>(max_) / ns_per_ms;
  all.mean_ms = sum_ / static_cast<double>(count_) / ns_per_ms;
  for (std::size_t first = 0; first < counts_.size(); first += buckets_per_bar) {
    std::int64_t bar = 0;
    for (std::size_t i = first; i < first + buckets_per_bar; ++i) bar += counts_[i];
    if (bar > 0) all.histogram.push_back({end_of(first + buckets_per_bar - 1) / ns_per_ms, bar});
  }
  return all;
}

}  // namespace sim::load
