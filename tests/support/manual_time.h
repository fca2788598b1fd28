#pragma once
#include <boost/asio/steady_timer.hpp>
#include <list>

#include "gateway/base/time_source.h"

namespace test {

/// A clock that stands still until a test moves it. Waiters resume on their own executor once run by it; one thread
/// only.
class ManualTime final : public base::TimeSource {
 public:
  Instant now() const override { return now_; }
  Wall wall() const override { return wall_; }

  base::Async<base::Result<>> wait_until(Instant when) override {
    auto const stop = co_await asio::this_coro::cancellation_state;
    if (stop.cancelled() != asio::cancellation_type::none)
      co_return base::fail(base::Fault::cancelled, "wait cancelled");
    if (when <= now_) co_return base::Result<>{};
    auto const waiter = waiters_.emplace(waiters_.end(), when, co_await asio::this_coro::executor);
    auto [error] = co_await waiter->bell.async_wait(base::quietly);
    bool const rung = waiter->rung;
    waiters_.erase(waiter);
    (void)error;
    if (!rung) co_return base::fail(base::Fault::cancelled, "wait cancelled");
    co_return base::Result<>{};
  }

  void advance(Clock::duration step) {
    now_ += step;
    wall_ += std::chrono::duration_cast<Wall::duration>(step);
    for (auto& waiter : waiters_) {
      if (waiter.when > now_) continue;
      waiter.rung = true;
      waiter.bell.cancel();
    }
  }

  std::size_t waiters() const { return waiters_.size(); }

 private:
  struct Waiter {
    Waiter(Instant w, asio::any_io_executor executor) : when{w}, bell{executor, Instant::max()} {}
    Instant when;
    asio::steady_timer bell;
    bool rung = false;
  };
  Instant now_{std::chrono::hours{1}};
  Wall wall_{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours{15}};
  std::list<Waiter> waiters_;
};

}  // namespace test
