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
