#include "crm/ledger.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "crm/store/calls.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

/// Whether writing the same snapshot again may succeed.
bool passes(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::cancelled;
}

}  // namespace

CallLedger::CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
                       base::Metrics& metrics)
    : CallLedger{std::move(back_office), pool, time, std::move(log), metrics, Settings{}} {}

CallLedger::CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
                       base::Metrics& metrics, Settings settings)
    : back_office_{back_office},
      pool_{pool},
      time_{time},
      log_{std::move(log)},
      settings_{settings},
      waiting_gauge_{metrics.gauge("switchboard_ledger_pending", "Call snapshots not yet in the database")},
      written_{metrics.counter("switchboard_ledger_written_total", "Call snapshots written")},
      retries_{
          metrics.counter("switchboard_ledger_retries_total", "Writes of call snapshots that failed and are repeated")},
      lost_{metrics.counter("switchboard_ledger_lost_total", "Call snapshots that could not be kept")},
      something_waits_{back_office, base::Instant::max()},
      all_written_{back_office, base::Instant::max()} {}

void CallLedger::save(CallRecord snapshot) {
  pending_.fetch_add(1, std::memory_order_acq_rel);
  waiting_gauge_.Increment();
  asio::post(back_office_, [this, snapshot = std::move(snapshot)]() mutable { take(std::move(snapshot)); });
}

void CallLedger::take(CallRecord snapshot) {
  if (auto const found = waiting_.find(snapshot.id); found != waiting_.end()) {
    if (found->second.version < snapshot.version) found->second = std::move(snapshot);
    forget_one();
    return;
  }
  if (waiting_.size() >= settings_.most_waiting) {
    log_.error("call record dropped: too many wait for the database", {{"call", snapshot.id.text()}});
    lost_.Increment();
    forget_one();
    return;
  }
  order_.push_back(snapshot.id);
  auto id = snapshot.id;
  waiting_.emplace(std::move(id), std::move(snapshot));
  something_waits_.cancel();
}

void CallLedger::put_back(CallRecord snapshot) {
  if (waiting_.contains(snapshot.id)) {  // a newer one has come meanwhile
    forget_one();
    return;
  }
  order_.push_front(snapshot.id);
  auto id = snapshot.id;
  waiting_.emplace(std::move(id), std::move(snapshot));
}

void CallLedger::forget_one() {
  waiting_gauge_.Decrement();
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) all_written_.cancel();
}

Async<> CallLedger::write() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto backoff = settings_.first_backoff;
  for (;;) {
    auto const stop = co_await asio::this_coro::cancellation_state;
    if (stop.cancelled() != asio::cancellation_type::none) co_return;
    if (order_.empty()) {
      something_waits_.expires_at(base::Instant::max());
      (void)co_await something_waits_.async_wait(base::quietly);
      continue;
    }
    auto const next = waiting_.extract(order_.front());
    order_.pop_front();
    auto const done = co_await write_one(std::move(next.mapped()));
    if (done) {
      backoff = settings_.first_backoff;
      continue;
    }
    if (done.error().fault == Fault::cancelled) co_return;
    (void)co_await time_.wait(backoff);
    backoff = std::min(backoff * 2, settings_.longest_backoff);
  }
}

Async<Result<>> CallLedger::write_one(CallRecord snapshot) {
  auto const kept = co_await keep(snapshot);
  if (kept) {
    written_.Increment();
    forget_one();
    co_return Result<>{};
  }
  auto const& error = kept.error();
  if (!passes(error.fault)) {
    // Trying again cannot help, and must not hold up the calls behind.
    log_.error("call record refused by the database",
               {{"call", snapshot.id.text()}, {"fault", base::to_string(error.fault)}, {"detail", error.detail}});
    lost_.Increment();
    forget_one();
    co_return Result<>{};
  }
  if (error.fault != Fault::cancelled) {
    retries_.Increment();
    log_.warning("call record not written yet", {{"call", snapshot.id.text()}, {"detail", error.detail}});
  }
  put_back(std::move(snapshot));
  co_return std::unexpected{error};
}

Async<Result<bool>> CallLedger::keep(CallRecord const& snapshot) {
  auto const work = [&](pg::Transaction& transaction) { return save_call(transaction, snapshot); };
  auto const kept = co_await pool_.transaction(work, time_.now() + settings_.write_timeout);
  co_return kept;
}

Async<Result<>> CallLedger::drain(base::Instant deadline) {
  using namespace asio::experimental::awaitable_operators;
  auto const written = [this]() -> Async<> {
    while (pending() > 0) {
      all_written_.expires_at(base::Instant::max());
      (void)co_await all_written_.async_wait(base::quietly);
      auto const stop = co_await asio::this_coro::cancellation_state;
      if (stop.cancelled() != asio::cancellation_type::none) co_return;
    }
  };
  if (pending() == 0) co_return Result<>{};
  (void)co_await (written() || time_.wait_until(deadline));
  if (pending() == 0) co_return Result<>{};
  co_return base::fail(Fault::timed_out, "call records are not in the database yet");
}

}  // namespace crm
