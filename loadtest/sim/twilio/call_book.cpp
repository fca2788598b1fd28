#include "loadtest/sim/twilio/call_book.h"

#include <algorithm>

namespace sim::twilio {

CallBook::CallBook(Exchange& exchange, double calls_per_second, base::TaskGroup::OnCrash on_crash)
    : exchange_{exchange},
      dial_gap_{std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{1.0 / calls_per_second})},
      tasks_{exchange.executor, std::move(on_crash)},
      queue_bell_{exchange.executor} {}

std::shared_ptr<CallEntry> CallBook::open(CallPlan plan, CallStatus status) {
  auto entry = std::make_shared<CallEntry>();
  entry->plan = std::move(plan);
  auto& record = entry->record;
  record.sid = new_sid("CA");
  record.account_sid = exchange_.account.sid;
  record.from = entry->plan.from;
  record.to = entry->plan.to;
  record.direction = entry->plan.direction == Direction::inbound ? "inbound" : "outbound-api";
  record.status = status;
  record.created = record.updated = std::chrono::system_clock::now();
  calls_.emplace(record.sid, entry);
  order_.push_back(record.sid);
  forget_oldest();
  return entry;
}

void CallBook::forget_oldest() {
  while (order_.size() > ended_calls_kept + live_calls_ + queue_.size()) {
    auto const oldest = std::find_if(order_.begin(), order_.end(), [this](auto const& sid) {
      auto const found = calls_.find(sid);
      return found == calls_.end() || is_final(found->second->record.status);
    });
    if (oldest == order_.end()) return;
    calls_.erase(*oldest);
    order_.erase(oldest);
  }
}

base::Async<CallResult> CallBook::run(std::shared_ptr<CallEntry> entry) {
  Listener const listener = [&entry](std::string const& sid, Event const& event) {
    if (entry->keeps_events) entry->events.push_back(event);
    if (entry->listener) entry->listener(sid, event);
  };
  SimCall call{exchange_, entry->plan, entry->record, listener};
  entry->live = &call;
  ++live_calls_;
  auto result = co_await call.run();
  --live_calls_;
  entry->live = nullptr;
  co_return result;
}

base::Async<CallResult> CallBook::place(CallPlan plan, Listener listener) {
  auto entry = open(std::move(plan), CallStatus::ringing);
  entry->listener = std::move(listener);
  auto result = co_await run(entry);
  // The result goes to the caller; what the books keep need not hold its audio.
  entry->plan.caller.speech.clear();
  entry->plan.caller.barge_in_speech.clear();
  entry->listener = nullptr;
  co_return result;
}

base::Async<> CallBook::run_kept(std::shared_ptr<CallEntry> entry) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto result = co_await run(entry);
  entry->result = std::move(result);
}

std::shared_ptr<CallEntry> CallBook::start(CallPlan plan) {
  auto entry = open(std::move(plan), CallStatus::ringing);
  entry->keeps_events = true;
  tasks_.spawn(run_kept(entry));
  return entry;
}

std::shared_ptr<CallEntry> CallBook::enqueue(CallPlan plan) {
  auto entry = open(std::move(plan), CallStatus::queued);
  entry->keeps_events = true;
  queue_.push_back(entry);
  queue_bell_.cancel();
  return entry;
}

bool CallBook::cancel_queued(CallEntry& entry) {
  auto const found =
      std::find_if(queue_.begin(), queue_.end(), [&](auto const& waiting) { return waiting.get() == &entry; });
  if (found == queue_.end()) return false;
  // No callback fires for a call that never left the queue (Twilio: Call resource).
  entry.record.status = CallStatus::canceled;
  entry.record.ended = entry.record.updated = std::chrono::system_clock::now();
  queue_.erase(found);
  return true;
}

std::shared_ptr<CallEntry> CallBook::find(std::string_view sid) const {
  auto const found = calls_.find(sid);
  return found == calls_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<CallEntry>> CallBook::all() const {
  std::vector<std::shared_ptr<CallEntry>> entries;
  for (auto sid = order_.rbegin(); sid != order_.rend(); ++sid)
    if (auto const found = calls_.find(*sid); found != calls_.end()) entries.push_back(found->second);
  return entries;
}

bool CallBook::remove(std::string_view sid) {
  auto const found = calls_.find(sid);
  if (found == calls_.end() || !is_final(found->second->record.status)) return false;
  calls_.erase(found);
  return true;
}

base::Async<> CallBook::dial_queued() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  auto next_slot = Clock::now();
  while (state.cancelled() == asio::cancellation_type::none) {
    bool const may_dial = !queue_.empty() && Clock::now() >= next_slot;
    if (may_dial) {
      auto entry = queue_.front();
      queue_.pop_front();
      next_slot = Clock::now() + dial_gap_;
      tasks_.spawn(run_kept(std::move(entry)));
      continue;
    }
    queue_bell_.expires_at(queue_.empty() ? Clock::time_point::max() : next_slot);
    (void)co_await queue_bell_.async_wait(base::quietly);
  }
}

}  // namespace sim::twilio
