#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

#include "crm/journal/journal.h"
#include "crm/model/call_record.h"
#include "crm/pg/pool.h"
#include "gateway/base/bell.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace crm {

/// Writes the records of calls to the database, behind the calls' backs. Anybody may save() from any thread and goes on
/// at once; while a snapshot waits, a newer one of the same call takes its place. One writer puts them into the
/// database and tries again for as long as it is away. With a journal nothing is lost with the process: the first
/// snapshots of a call (until its stream opens), the last one, and every one while the database is away, are on disk
/// before they wait any longer, and what an earlier life left there is written first. Needs its executor's loop to run
/// on one thread.
class CallLedger {
 public:
  struct Settings {
    /// Calls in memory, beside those being written. The snapshot of a further call waits in the journal alone; without
    /// a journal it is dropped, logged and counted.
    std::size_t most_waiting = 20'000;
    std::size_t most_at_once = 32;     ///< Snapshots in one transaction.
    std::size_t most_read_back = 256;  ///< Calls in memory above which reading back from the journal pauses.
    base::TimeSource::Clock::duration write_timeout = std::chrono::seconds{5};
    base::TimeSource::Clock::duration away_after = std::chrono::milliseconds{500};  ///< A write that takes this long.
    base::TimeSource::Clock::duration first_backoff = std::chrono::milliseconds{50};
    base::TimeSource::Clock::duration longest_backoff = std::chrono::seconds{2};
  };

  CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
             base::Metrics& metrics);
  CallLedger(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, base::Log log,
             base::Metrics& metrics, Settings settings);

  /// Before anything else is done with the ledger. The executor's loop must outlive the journal, and must not run any
  /// more when one of the two is destroyed.
  void keep_in(journal::Journal& journal);

  /// Also before anything else: called in the back office when calls that are over have been written.
  void when_settled(std::function<void()> told) { settled_ = std::move(told); }

  /// Takes a snapshot; any thread, never waits. The ledger must outlive its executor's work.
  void save(CallRecord snapshot);
  /// Snapshots in memory that are not in the database yet; any thread.
  std::size_t pending() const { return pending_.load(std::memory_order_acquire); }

  /// The writer: spawn it once on the back office; ends when cancelled, with what waits still waiting.
  base::Async<> write();
  /// Waits on the back office until what the journal held at the start is in the database, or has been refused by it.
  base::Async<> caught_up();
  /// On the back office's thread.
  bool is_caught_up() const { return caught_up_; }
  /// Waits on the back office until everything saved so far is written, or is safe in the journal while the database is
  /// away; Fault::timed_out if it is not by then.
  base::Async<base::Result<>> drain(base::Instant deadline);

 private:
  struct Waiting {
    CallRecord record;
    bool journalled = false;  ///< Or on its way there.
    bool read_back = false;   ///< Reading back waits for it.
  };

  void take(CallRecord snapshot);
  void take_back(journal::Entry const& entry);
  void wait_in_memory(Waiting waiting);
  void wait_in_journal(CallRecord const& snapshot);
  void put_back();
  void forget_one();
  void put_in_journal(Waiting& waiting);
  void put_all_in_journal();
  void set_away(bool away);
  bool is_all_in_journal() const;

  base::Async<> write_all();
  base::Async<base::Result<>> write_in_hand();
  base::Async<> watch();
  base::Async<> read_back();
  bool has_room_to_read() const;
  base::Async<bool> room_to_read();
  base::Async<std::optional<journal::Page>> next_page(journal::Place behind);
  base::Async<base::Result<bool>> keep(std::vector<Waiting> const& together);
  void take_in_hand();
  void written(Waiting const& waiting);
  void refused(Waiting& waiting, base::Error const& error);
  base::Async<> until_written();
  base::Async<bool> until_in_journal(base::Instant database_has_until);
  base::Async<bool> until_certain();

  asio::any_io_executor back_office_;
  pg::Pool& pool_;
  base::TimeSource& time_;
  base::Log log_;
  Settings settings_;
  journal::Journal* journal_ = nullptr;
  std::function<void()> settled_;
  prometheus::Gauge& waiting_gauge_;
  prometheus::Counter& written_;
  prometheus::Counter& read_back_;
  prometheus::Counter& retries_;
  prometheus::Counter& refused_;
  prometheus::Counter& lost_;
  asio::steady_timer something_waits_;
  asio::steady_timer all_written_;
  asio::steady_timer caught_up_bell_;
  base::Bell room_;
  base::Bell backlog_bell_;
  base::Bell page_bell_;
  base::Bell certain_bell_;
  base::Bell changed_;
  std::unordered_map<base::CallId, Waiting> waiting_;
  std::deque<base::CallId> order_;  // each id in `waiting_` once
  std::vector<Waiting> in_hand_;    // being written
  std::unordered_map<base::CallId, std::int64_t>
      set_aside_;  // refused by the database: not tried again before the next start
  std::optional<base::Instant> writing_since_;
  std::optional<journal::Page> page_;
  std::size_t reading_back_ = 0;  // waiting or in hand because of the journal
  std::uint64_t certain_asked_ = 0;
  std::uint64_t certain_reached_ = 0;
  bool failing_ = false;   // the database did not take the last write
  bool away_ = false;      // it fails, or takes too long: what is saved goes to the journal
  bool backlog_ = false;   // the journal holds calls that are not in memory
  bool draining_ = false;  // nothing more is read back
  bool caught_up_ = true;
  std::atomic<std::size_t> pending_{0};
};

}  // namespace crm
