#include "gateway/base/task_group.h"

#include <cassert>

#include <boost/asio/co_spawn.hpp>

namespace base {

TaskGroup::TaskGroup(asio::any_io_executor executor, OnCrash on_crash)
    : executor_{executor}, on_crash_{std::move(on_crash)}, empty_{executor} {}

TaskGroup::~TaskGroup() { assert(stops_.empty()); }

void TaskGroup::spawn(Async<> task) {
  auto const stop = stops_.emplace(stops_.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(stop->slot(), [this, stop](std::exception_ptr crash) {
                   stops_.erase(stop);
                   if (crash && on_crash_) on_crash_(crash);
                   if (stops_.empty()) empty_.cancel();
                 }));
}

void TaskGroup::cancel_all() {
  // Emitting can end a task and so erase its signal: step past it first.
  for (auto it = stops_.begin(); it != stops_.end();) {
    auto const current = it++;
    current->emit(asio::cancellation_type::terminal);
  }
}

Async<> TaskGroup::drain(TimeSource& time, TimeSource::Clock::duration grace) {
  using namespace asio::experimental::awaitable_operators;
  auto const until_empty = [this]() -> Async<> {
    while (!stops_.empty()) {
      empty_.expires_at(TimeSource::Instant::max());
      (void)co_await empty_.async_wait(quietly);
    }
  };
  if (stops_.empty()) co_return;
  co_await (until_empty() || time.wait(grace));
  cancel_all();
  co_await until_empty();
}

}  // namespace base
