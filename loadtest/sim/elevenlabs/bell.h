#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "gateway/base/time_source.h"

namespace sim::elevenlabs {

/// Wakes every coroutine that waits for a change; each then looks for itself whether it is the one it wants. One
/// thread.
class Bell {
 public:
  explicit Bell(asio::any_io_executor const& executor) : timer_{executor, base::Instant::max()} {}
  void ring() {
    ++rings_;
    timer_.cancel();
  }

  /// Waits for the next ring.
  base::Async<> wait() { co_await ring_after(rings_); }

  /// Waits for a ring, at most until `when`.
  base::Async<> wait_until(base::TimeSource& time, base::Instant when) {
    using namespace asio::experimental::awaitable_operators;
    if (when == base::Instant::max())
      co_await wait();
    else
      co_await (ring_after(rings_) || time.wait_until(when));
  }

 private:
  /// `seen` is from the moment of the caller's decision to wait: a ring in between is not lost.
  base::Async<> ring_after(std::uint64_t seen) {
    if (rings_ != seen) co_return;
    (void)co_await timer_.async_wait(base::quietly);
  }

  asio::steady_timer timer_;
  std::uint64_t rings_ = 0;
};

}  // namespace sim::elevenlabs
