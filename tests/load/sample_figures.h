#pragma once

#include <string>

#include "loadtest/load/report.h"

namespace test {

/// A distribution with a histogram, all of it `scale` times as long as another one.
inline sim::load::Distribution spread(double scale, std::int64_t count = 1000) {
  return {count,        0.2 * scale,
          0.3 * scale,  0.5 * scale,
          1.2 * scale,  2.5 * scale,
          0.22 * scale, {{0.2 * scale, count / 2}, {0.5 * scale, count / 2 - 1}, {2.5 * scale, 1}}};
}

inline sim::load::Direction direction(double scale) {
  sim::load::Direction out;
  out.frames.sent = 2'700'000;
  out.frames.received = 2'700'000;
  out.frames.late_after_ms = 20;
  out.latency = {spread(scale, 2'700'000), spread(scale * 0.9, 2'700'000)};
  return out;
}

/// A minute of talk with 900 calls in which nothing went wrong.
inline sim::load::Figures good_figures() {
  sim::load::Figures f;
  f.machine = {"Imagined CPU @ 3 GHz", 2, "Linux 6.1.0-18-amd64", "2025-06-01T12:00:00Z"};
  f.settings = {"http://127.0.0.1:3000", "switchboard 0.1.0", "talk", 900, 50, 60, false, false, false, {"settle=2s"}};
  f.measured_s = 60;
  f.calls = {900, 900, 0, 0, 898, 900};
  f.to_agent = direction(1);
  f.to_caller = direction(2);
  f.pacing = {spread(3), 1, 180};
  f.interruptions = {200, 200, 0, 0, 0, spread(1.5, 200)};
  f.set_up = {spread(10, 900), spread(4, 900), spread(30, 900), spread(6, 900), 0, 22'500};
  f.target.process = {56.7, 21, 0.945};
  f.target.media_threads = {55, 20.4, 0.917};
  f.target.rss_before_kib = 24'000;
  f.target.rss_full_kib = 51'900;
  f.target.rss_end_kib = 24'800;
  f.target.per_call_kib = 31;
  f.target.descriptors_before = 40;
  f.target.descriptors_end = 42;
  f.outcomes_written = 900;
  f.outcomes_wrong = 0;
  f.generator = {spread(0.8), spread(0.7), {37.2, 13.8, 0.62}, 88'000, false, ""};
  for (int second = 0; second < 5; ++second)
    f.moments.push_back({second * 1.0, 180 * second, 0.19 * second, 24'000.0 + 5'000 * second, 0.4 + 0.02 * second,
                         0.9 + 0.02 * second, 0.12 * second, 0});
  return f;
}

inline sim::load::Report good_report() {
  return {std::nullopt, {good_figures()}};
}

}  // namespace test
