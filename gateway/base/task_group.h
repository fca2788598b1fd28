#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "gateway/base/time_source.h"

namespace base {

/// Owns the coroutines that one core has started. Not thread safe: everything happens on the executor's one thread.
/// Nothing is ever left running: whoever owns a group drains it before destroying it.
class TaskGroup {
 public:
  using OnCrash = std::function<void(std::string const& what)>;

  /// `on_crash` hears of a task that ended with an exception (a cancelled wait that got away is none); the group goes
  /// on.
  explicit TaskGroup(asio::any_io_executor executor, OnCrash on_crash = {});
  ~TaskGroup();
  TaskGroup(TaskGroup const&) = delete;
  TaskGroup& operator=(TaskGroup const&) = delete;

  void spawn(Async<> task);
  std::size_t size() const { return stops_.size(); }
  /// Asks every task to stop; returns at once.
  void cancel_all();
  /// Waits up to `grace` for the tasks to end by themselves, then cancels them and waits until all are gone. Cancelling
  /// drain() itself skips the rest of the grace.
  Async<> drain(TimeSource& time, TimeSource::Clock::duration grace);

 private:
  asio::any_io_executor executor_;
  OnCrash on_crash_;
  std::list<std::shared_ptr<asio::cancellation_signal>> stops_;
  asio::steady_timer empty_;
};

}  // namespace base
