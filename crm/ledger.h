#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <unordered_map>

#include "crm/model/call_record.h"
#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace crm {

/// Writes the records of calls to the database, behind the calls' backs. Anybody may save() from any thread and goes on
/// at once; while a snapshot waits, a newer one of the same call takes its place. One writer puts each into the
/// database in one transaction and tries again for as long as the database is away. Needs its executor's loop to run on
/// one thread.
class CallLedger {
 public:
  struct Settings {
    std::size_t most_waiting = 100'000;  ///< Calls; the snapshot of a further call is dropped, logged and counted.
    base::TimeSource::Clock::duration write_timeout = std::chrono::seconds{5};
    base::TimeSource::Clock::duration first_backoff = std::chrono::milliseconds{50};
    base::TimeSource::Clock::duration longest_backoff = std::chrono::seconds{2};
  };

  CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
             base::Metrics& metrics);
  CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
             base::Metrics& metrics, Settings settings);

  /// Takes a snapshot; any thread, never waits. The ledger must outlive its executor's work.
  void save(CallRecord snapshot);
  /// Snapshots that are not in the database yet; any thread.
  std::size_t pending() const { return pending_.load(std::memory_order_acquire); }

  /// The writer: spawn it once on the back office; ends when cancelled, with what waits still waiting.
  base::Async<> write();
  /// Waits on the back office until everything saved so far is written; Fault::timed_out if it is not by then.
  base::Async<base::Result<>> drain(base::Instant deadline);

 private:
  void take(CallRecord snapshot);
  void put_back(CallRecord snapshot);
  void forget_one();
  base::Async<base::Result<>> write_one(CallRecord snapshot);
  base::Async<base::Result<bool>> keep(CallRecord const& snapshot);

  asio::any_io_executor back_office_;
  pg::Pool& pool_;
  base::TimeSource& time_;
  base::Log log_;
  Settings settings_;
  prometheus::Gauge& waiting_gauge_;
  prometheus::Counter& written_;
  prometheus::Counter& retries_;
  prometheus::Counter& lost_;
  asio::steady_timer something_waits_;
  asio::steady_timer all_written_;
  std::unordered_map<base::CallId, CallRecord> waiting_;
  std::deque<base::CallId> order_;  // each id in `waiting_` once
  std::atomic<std::size_t> pending_{0};
};

}  // namespace crm
