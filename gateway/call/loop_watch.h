#pragma once
#include <array>
#include <chrono>

#include "gateway/base/metrics.h"
#include "gateway/base/time_source.h"

namespace gateway {

/// How late and how busy the event loop of one core is, and whether it is too late for one more call. Lives on that
/// core's thread.
class LoopWatch {
 public:
  using Duration = base::TimeSource::Clock::duration;

  /// `limit`: new calls are refused from this lag on, until it has stayed below half of it for two seconds.
  LoopWatch(base::TimeSource& time, base::Metrics& metrics, std::size_t core, Duration limit);

  /// Probes every 20 ms until cancelled, whether calls are live or not.
  base::Async<> run();
  /// What a quarter of the last second's probes were later than: no single slow moment moves it, however slow.
  Duration lag() const { return lag_; }
  bool is_overloaded() const { return overloaded_; }

 private:
  void note(Duration late, base::Instant now);
  void count_busy_time();

  static constexpr auto every = std::chrono::milliseconds{20};
  static constexpr std::size_t window = 50;     // probes: one second
  static constexpr std::size_t most_slots = 4;  // that one probe may stand for
  static constexpr auto calm_before_opening = std::chrono::seconds{2};

  base::TimeSource& time_;
  Duration limit_;
  prometheus::Histogram& probes_;
  prometheus::Gauge& recent_;
  prometheus::Gauge& refusing_;
  prometheus::Counter& busy_;
  std::array<Duration, window> late_{};  // a ring
  std::size_t next_ = 0;
  Duration lag_{};
  base::Instant calm_since_{};
  std::chrono::nanoseconds busy_counted_{0};
  bool overloaded_ = false;
};

}  // namespace gateway
