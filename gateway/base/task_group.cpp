#include "gateway/base/task_group.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cassert>
#include <optional>
#include <vector>

namespace base {
namespace {

/// The words of a crash; nothing for a cancellation that left the task as an exception, which is an ordinary end.
std::optional<std::string> crash_of(std::exception_ptr const& crash) {
  try {
    std::rethrow_exception(crash);
  } catch (boost::system::system_error const& error) {
    if (error.code() == asio::error::operation_aborted) return std::nullopt;
    return error.what();
  } catch (std::exception const& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, OnCrash on_crash)
    : executor_{executor}, on_crash_{std::move(on_crash)}, empty_{executor} {}

TaskGroup::~TaskGroup() {
  assert(stops_.empty());
}

void TaskGroup::spawn(Async<> task) {
  auto const stop = stops_.insert(stops_.end(), std::make_shared<asio::cancellation_signal>());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot((*stop)->slot(), [this, stop](std::exception_ptr crash) {
                   // co_spawn may have queued an emission that still points into the signal: it goes after that.
                   asio::post(executor_, [spent = *stop] {});
                   stops_.erase(stop);
                   if (auto const what = crash ? crash_of(crash) : std::nullopt; what && on_crash_) on_crash_(*what);
                   if (stops_.empty()) empty_.cancel();
                 }));
}

void TaskGroup::cancel_all() {
  // Emitting can end tasks and so change the list: go by a copy.
  auto const now = std::vector(stops_.begin(), stops_.end());
  for (auto const& stop : now) stop->emit(asio::cancellation_type::terminal);
}

Async<> TaskGroup::drain(TimeSource& time, TimeSource::Clock::duration grace) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const until_empty = [this]() -> Async<> {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const stop = co_await asio::this_coro::cancellation_state;
    while (!stops_.empty() && stop.cancelled() == asio::cancellation_type::none) {
      empty_.expires_at(TimeSource::Instant::max());
      (void)co_await empty_.async_wait(quietly);
    }
  };
  if (stops_.empty()) co_return;
  auto const stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() == asio::cancellation_type::none) co_await (until_empty() || time.wait(grace));
  cancel_all();
  // Our own cancellation only skips the grace: leaving before the tasks have would pull the ground from under them.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await until_empty();
}

}  // namespace base
