#pragma once
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "gateway/base/time_source.h"

namespace base {

/// Wakes whoever waits, on one core. A ring with nobody waiting is remembered until the next wait.
class Bell {
 public:
  explicit Bell(asio::any_io_executor executor) : timer_{executor} {
    timer_.expires_at(asio::steady_timer::time_point::max());
  }

  void ring() {
    rung_ = true;
    timer_.cancel();
  }
  /// True at the next ring, false when the awaiting coroutine is cancelled first.
  Async<bool> wait() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const stop = co_await asio::this_coro::cancellation_state;
    // A cancellation that came before this wait will not come again.
    bool const cancelled = stop.cancelled() != asio::cancellation_type::none;
    if (!rung_ && !cancelled) {
      if (timer_.expiry() != asio::steady_timer::time_point::max())
        timer_.expires_at(asio::steady_timer::time_point::max());
      (void)co_await timer_.async_wait(quietly);
    }
    co_return std::exchange(rung_, false);
  }
  /// The same, and false at `deadline` too. Only where nobody else waits for this bell.
  Async<bool> wait_until(TimeSource& time, TimeSource::Instant deadline) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const stop = co_await asio::this_coro::cancellation_state;
    bool const cancelled = stop.cancelled() != asio::cancellation_type::none;
    if (!rung_ && !cancelled) co_await time.wait_for_either(deadline, timer_);
    co_return std::exchange(rung_, false);
  }

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

}  // namespace base
