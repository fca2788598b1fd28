#include "gateway/call/loop_watch.h"

#include <algorithm>
#include <ctime>

namespace gateway {
namespace {

double in_seconds(std::chrono::nanoseconds length) {
  return std::chrono::duration<double>(length).count();
}

std::chrono::nanoseconds time_of_this_thread() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

}  // namespace

LoopWatch::LoopWatch(base::TimeSource& time, base::Metrics& metrics, std::size_t core, Duration limit)
    : time_{time},
      limit_{limit},
      probes_{metrics.histogram("switchboard_core_lag_seconds", "How late probes of a core's event loop were.",
                                {0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.05, 0.1, 0.5},
                                {{"core", std::to_string(core)}})},
      recent_{metrics.gauge("switchboard_core_lag_recent_seconds",
                            "The lag that decides on new calls: upper quartile of the last second's probes.",
                            {{"core", std::to_string(core)}})},
      refusing_{metrics.gauge("switchboard_core_overloaded", "1 while a core refuses new calls because of its lag.",
                              {{"core", std::to_string(core)}})},
      busy_{metrics.counter("switchboard_core_busy_seconds_total", "CPU time of a core's thread.",
                            {{"core", std::to_string(core)}})} {}

base::Async<> LoopWatch::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    auto const due = time_.now() + every;
    auto const waited = co_await time_.wait_until(due);
    if (!waited) co_return;
    auto const now = time_.now();
    note(now - due, now);
    count_busy_time();
  }
}

void LoopWatch::note(Duration late, base::Instant now) {
  probes_.Observe(in_seconds(late));
  // A late probe stands for those that it kept from being made; bounded, so that one long stop does not fill the
  // window.
  auto const slots = std::clamp<std::size_t>(static_cast<std::size_t>(late / every) + 1, 1, most_slots);
  for (std::size_t i = 0; i < slots; ++i) {
    late_[next_] = late;
    next_ = (next_ + 1) % window;
  }
  auto sorted = late_;
  auto const quartile = sorted.begin() + window * 3 / 4;
  std::ranges::nth_element(sorted, quartile);
  lag_ = *quartile;
  recent_.Set(in_seconds(lag_));

  if (lag_ >= limit_ / 2) calm_since_ = now;
  if (lag_ >= limit_) overloaded_ = true;
  if (overloaded_ && now - calm_since_ >= calm_before_opening) overloaded_ = false;
  refusing_.Set(overloaded_ ? 1 : 0);
}

void LoopWatch::count_busy_time() {
  auto const used = time_of_this_thread();
  // The first look counts nothing of what the thread did before it became a core.
  if (busy_counted_.count() != 0) busy_.Increment(in_seconds(used - busy_counted_));
  busy_counted_ = used;
}

}  // namespace gateway
