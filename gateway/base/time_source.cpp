#include "gateway/base/time_source.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <ctime>

namespace base {

Async<Result<>> SystemTime::wait_until(Instant when) {
  auto const stop = co_await asio::this_coro::cancellation_state;
  // A cancellation that came before this wait will not come again.
  if (stop.cancelled() != asio::cancellation_type::none) co_return fail(Fault::cancelled, "wait cancelled");
  asio::steady_timer timer{co_await asio::this_coro::executor, when};
  auto [error] = co_await timer.async_wait(quietly);
  if (error) co_return fail(Fault::cancelled, "wait cancelled");
  co_return Result<>{};
}

Async<> TimeSource::wait_for_either(Instant when, asio::steady_timer& alarm) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  alarm.expires_at(Instant::max());
  (void)co_await (wait_until(when) || alarm.async_wait(quietly));
}

Async<> SystemTime::wait_for_either(Instant when, asio::steady_timer& alarm) {
  co_await asio::this_coro::throw_if_cancelled(false);
  alarm.expires_at(when);
  (void)co_await alarm.async_wait(quietly);
}

std::string iso8601(TimeSource::Wall when) {
  auto const ms = std::chrono::floor<std::chrono::milliseconds>(when);
  auto const seconds = std::chrono::floor<std::chrono::seconds>(ms);
  std::time_t const time = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, (ms - seconds).count());
}

}  // namespace base
