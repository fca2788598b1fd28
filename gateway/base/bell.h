#pragma once
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "gateway/base/async.h"

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
    if (!rung_ && !cancelled) (void)co_await timer_.async_wait(quietly);
    co_return std::exchange(rung_, false);
  }

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

}  // namespace base
