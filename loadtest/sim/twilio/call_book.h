#pragma once
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>

#include "gateway/base/task_group.h"
#include "loadtest/sim/twilio/sim_call.h"

namespace sim::twilio {

/// A call as the carrier's books have it: during its life and for some time after.
struct CallEntry {
  CallRecord record;
  CallPlan plan;
  Listener listener;          ///< May be empty.
  SimCall* live = nullptr;    ///< While the call runs.
  std::vector<Event> events;  ///< Filled when `keeps_events`, for whoever follows the call from outside.
  bool keeps_events = false;
  std::optional<CallResult> result;  ///< Kept after the end when `keeps_events`.
};

/// All calls of the account, newest last, and the queue of those REST has asked for. One thread.
class CallBook {
 public:
  static constexpr std::size_t ended_calls_kept = 1000;

  CallBook(Exchange& exchange, double calls_per_second, base::TaskGroup::OnCrash on_crash);

  /// Runs a call to its end.
  base::Async<CallResult> place(CallPlan plan, Listener listener);
  /// Starts a call; it can be followed by its entry.
  std::shared_ptr<CallEntry> start(CallPlan plan);
  /// Puts an outbound call into the queue that lets `calls_per_second` out (Twilio: 1).
  std::shared_ptr<CallEntry> enqueue(CallPlan plan);
  /// Takes a call that still waits out of the queue. False when it does not wait.
  bool cancel_queued(CallEntry& entry);

  std::shared_ptr<CallEntry> find(std::string_view sid) const;
  /// Newest first.
  std::vector<std::shared_ptr<CallEntry>> all() const;
  bool remove(std::string_view sid);
  std::size_t live_calls() const { return live_calls_; }

  /// Lets queued calls out until cancelled.
  base::Async<> dial_queued();
  /// Waits for the calls started here, at most `grace`, then ends them.
  base::Async<> drain(base::TimeSource& time, Clock::duration grace) { return tasks_.drain(time, grace); }

 private:
  std::shared_ptr<CallEntry> open(CallPlan plan, CallStatus status);
  base::Async<CallResult> run(std::shared_ptr<CallEntry> entry);
  base::Async<> run_kept(std::shared_ptr<CallEntry> entry);
  void forget_oldest();

  Exchange& exchange_;
  Clock::duration dial_gap_;
  base::TaskGroup tasks_;
  std::map<std::string, std::shared_ptr<CallEntry>, std::less<>> calls_;
  std::deque<std::string> order_;
  std::deque<std::shared_ptr<CallEntry>> queue_;
  asio::steady_timer queue_bell_;
  std::size_t live_calls_ = 0;
};

}  // namespace sim::twilio
