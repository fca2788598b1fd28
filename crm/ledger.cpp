#include "crm/ledger.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "crm/journal/call_record_json.h"
#include "crm/outcome/settle.h"
#include "crm/store/calls.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

constexpr std::uint64_t page_bytes = 256U << 10U;

/// Whether writing the same snapshot again may succeed.
bool passes(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::cancelled;
}

Async<bool> is_stopped() {
  auto const stop = co_await asio::this_coro::cancellation_state;
  co_return stop.cancelled() != asio::cancellation_type::none;
}

/// What must not die with us even before we know that the database hangs: that there is a call, and how it ended. Of
/// those in between, the next one says the same and more.
bool is_first_or_last(CallRecord const& record) {
  bool const stream_was_open = record.stream_count > 0;
  return !stream_was_open || is_terminal(record.status);
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
      read_back_{metrics.counter("switchboard_ledger_replayed_total",
                                 "Call snapshots written that had been read back from the journal")},
      retries_{
          metrics.counter("switchboard_ledger_retries_total", "Writes of call snapshots that failed and are repeated")},
      refused_{metrics.counter("switchboard_ledger_refused_total",
                               "Call snapshots that the database refused and the journal keeps")},
      lost_{metrics.counter("switchboard_ledger_lost_total", "Call snapshots that could not be kept")},
      something_waits_{back_office, base::Instant::max()},
      all_written_{back_office, base::Instant::max()},
      caught_up_bell_{back_office, base::Instant::max()},
      room_{back_office},
      backlog_bell_{back_office},
      page_bell_{back_office},
      certain_bell_{back_office},
      changed_{back_office} {}

void CallLedger::keep_in(journal::Journal& journal) {
  journal_ = &journal;
  backlog_ = true;
  caught_up_ = false;
}

// ---- what waits

void CallLedger::save(CallRecord snapshot) {
  pending_.fetch_add(1, std::memory_order_acq_rel);
  waiting_gauge_.Increment();
  asio::post(back_office_, [this, snapshot = std::move(snapshot)]() mutable { take(std::move(snapshot)); });
}

void CallLedger::take(CallRecord snapshot) {
  changed_.ring();
  auto const found = waiting_.find(snapshot.id);
  if (found == waiting_.end() && waiting_.size() >= settings_.most_waiting) {
    wait_in_journal(snapshot);
    forget_one();
    return;
  }
  if (found == waiting_.end()) {
    wait_in_memory({std::move(snapshot)});
    return;
  }
  auto& waiting = found->second;
  if (waiting.record.version < snapshot.version) {
    waiting.record = std::move(snapshot);
    waiting.journalled = false;
    if (away_ || is_first_or_last(waiting.record)) put_in_journal(waiting);
  }
  forget_one();
}

void CallLedger::wait_in_memory(Waiting waiting) {
  if (away_ || is_first_or_last(waiting.record)) put_in_journal(waiting);
  auto id = waiting.record.id;
  order_.push_back(id);
  waiting_.emplace(std::move(id), std::move(waiting));
  something_waits_.cancel();
}

/// Too many wait in memory: this one is read back when there is room again.
void CallLedger::wait_in_journal(CallRecord const& snapshot) {
  if (journal_ != nullptr && journal_->append({snapshot.id.text(), snapshot.version, journal::encode(snapshot)})) {
    backlog_ = true;
    backlog_bell_.ring();
    return;
  }
  log_.error("call record dropped: too many wait for the database", {{"call", snapshot.id.text()}});
  lost_.Increment();
}

void CallLedger::put_in_journal(Waiting& waiting) {
  if (journal_ == nullptr || waiting.journalled) return;
  auto const& record = waiting.record;
  waiting.journalled = journal_->append({record.id.text(), record.version, journal::encode(record)});
}

void CallLedger::put_all_in_journal() {
  for (auto& waiting : in_hand_) put_in_journal(waiting);
  for (auto& [id, waiting] : waiting_) put_in_journal(waiting);
}

bool CallLedger::is_all_in_journal() const {
  auto const journalled = [](Waiting const& waiting) { return waiting.journalled; };
  return pending() == in_hand_.size() + waiting_.size() && std::ranges::all_of(in_hand_, journalled) &&
         std::ranges::all_of(waiting_, [&](auto const& each) { return journalled(each.second); });
}

void CallLedger::set_away(bool away) {
  if (away == std::exchange(away_, away)) return;
  if (away) put_all_in_journal();
  changed_.ring();
  room_.ring();
}

void CallLedger::forget_one() {
  waiting_gauge_.Decrement();
  room_.ring();
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) all_written_.cancel();
}

// ---- writing

Async<> CallLedger::write() {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (journal_ == nullptr) {
    co_await write_all();
    co_return;
  }
  co_await (write_all() && watch() && read_back());
}

Async<> CallLedger::write_all() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto backoff = settings_.first_backoff;
  for (;;) {
    bool const stopped = co_await is_stopped();
    if (stopped) co_return;
    if (order_.empty()) {
      something_waits_.expires_at(base::Instant::max());
      (void)co_await something_waits_.async_wait(base::quietly);
      continue;
    }
    take_in_hand();
    writing_since_ = time_.now();
    auto const done = co_await write_in_hand();
    writing_since_.reset();
    if (done) {
      backoff = settings_.first_backoff;
      failing_ = false;
      set_away(false);
      continue;
    }
    put_back();
    if (done.error().fault == Fault::cancelled) co_return;
    failing_ = true;
    set_away(true);
    changed_.ring();
    (void)co_await time_.wait(backoff);
    backoff = std::min(backoff * 2, settings_.longest_backoff);
  }
}

void CallLedger::take_in_hand() {
  while (!order_.empty() && in_hand_.size() < settings_.most_at_once) {
    auto next = waiting_.extract(order_.front());
    order_.pop_front();
    in_hand_.push_back(std::move(next.mapped()));
  }
}

void CallLedger::put_back() {
  for (; !in_hand_.empty(); in_hand_.pop_back()) {
    auto& old = in_hand_.back();
    if (auto const newer = waiting_.find(old.record.id); newer != waiting_.end()) {
      if (old.read_back && std::exchange(newer->second.read_back, true)) --reading_back_;
      forget_one();
      continue;
    }
    auto id = old.record.id;
    order_.push_front(id);
    waiting_.emplace(std::move(id), std::move(old));
  }
}

/// All in one transaction; if one of them is refused, each in its own. What is settled is in hand no longer.
Async<Result<>> CallLedger::write_in_hand() {
  auto const kept = co_await keep(in_hand_);
  if (kept) {
    bool const any_over =
        std::ranges::any_of(in_hand_, [](auto const& each) { return is_terminal(each.record.status); });
    for (auto const& each : in_hand_) written(each);
    in_hand_.clear();
    if (any_over && settled_) settled_();
    co_return Result<>{};
  }
  auto const& error = kept.error();
  if (passes(error.fault)) {
    if (error.fault != Fault::cancelled) {
      retries_.Increment();
      log_.warning("call records not written yet", {{"count", in_hand_.size()}, {"detail", error.detail}});
    }
    co_return std::unexpected{error};
  }
  if (in_hand_.size() == 1) {
    refused(in_hand_.front(), error);
    in_hand_.clear();
    co_return Result<>{};
  }
  auto together = std::exchange(in_hand_, {});
  for (std::size_t i = 0; i < together.size(); ++i) {
    in_hand_.push_back(std::move(together[i]));
    auto const done = co_await write_in_hand();
    if (done) continue;
    std::move(together.begin() + static_cast<std::ptrdiff_t>(i) + 1, together.end(), std::back_inserter(in_hand_));
    co_return done;
  }
  co_return Result<>{};
}

Async<Result<bool>> CallLedger::keep(std::vector<Waiting> const& together) {
  auto const work = [&](pg::Transaction& transaction) -> Async<Result<bool>> {
    for (auto const& each : together) {
      auto const kept = co_await save_call(transaction, each.record);
      if (!kept) co_return kept;
      if (!*kept || !is_terminal(each.record.status)) continue;
      auto const settled = co_await settle_call(transaction, each.record);
      if (!settled) co_return settled;
    }
    co_return true;
  };
  auto const kept = co_await pool_.transaction(work, time_.now() + settings_.write_timeout);
  co_return kept;
}

void CallLedger::written(Waiting const& waiting) {
  written_.Increment();
  if (waiting.read_back) {
    read_back_.Increment();
    --reading_back_;
  }
  if (journal_ != nullptr) journal_->forget(waiting.record.id.text(), waiting.record.version);
  forget_one();
}

/// Trying again now cannot help, and must not hold up the calls behind. The journal keeps it for the next start.
void CallLedger::refused(Waiting& waiting, base::Error const& error) {
  put_in_journal(waiting);
  log_.error("call record refused by the database", {{"call", waiting.record.id.text()},
                                                     {"fault", base::to_string(error.fault)},
                                                     {"kept_in_journal", waiting.journalled},
                                                     {"detail", error.detail}});
  (waiting.journalled ? refused_ : lost_).Increment();
  set_aside_[waiting.record.id] = waiting.record.version;
  if (waiting.read_back) --reading_back_;
  forget_one();
}

/// A database that hangs is away as well, before its time limit says so.
Async<> CallLedger::watch() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    auto const waited = co_await time_.wait(settings_.away_after / 2);
    if (!waited) co_return;
    changed_.ring();
    if (writing_since_ && time_.now() - *writing_since_ > settings_.away_after) set_away(true);
  }
}

// ---- reading back

Async<> CallLedger::read_back() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    backlog_ = false;
    journal::Place behind;
    for (bool end = false; !end;) {
      bool const room = co_await room_to_read();
      if (!room) co_return;
      auto const page = co_await next_page(behind);
      if (!page) co_return;
      // A page may hold more than memory may take: the rest is read again when there is room.
      std::size_t taken = 0;
      for (; taken < page->entries.size() && has_room_to_read(); ++taken) {
        take_back(page->entries[taken]);
        behind = page->places[taken];
      }
      if (taken < page->entries.size()) continue;
      behind = page->last;
      end = page->end;
    }
    while (reading_back_ > 0) {
      bool const rung = co_await room_.wait();
      if (!rung) co_return;
    }
    if (!std::exchange(caught_up_, true)) caught_up_bell_.cancel();
    while (!backlog_) {
      bool const rung = co_await backlog_bell_.wait();
      if (!rung) co_return;
    }
  }
}

bool CallLedger::has_room_to_read() const {
  return !away_ && !draining_ && waiting_.size() <= std::min(settings_.most_read_back, settings_.most_waiting - 1);
}

/// While the database is away, memory is for the calls of today; what is on disk is safe there. False when cancelled.
Async<bool> CallLedger::room_to_read() {
  while (!has_room_to_read()) {
    bool const rung = co_await room_.wait();
    if (!rung) co_return false;
  }
  co_return true;
}

Async<std::optional<journal::Page>> CallLedger::next_page(journal::Place behind) {
  page_.reset();
  journal_->read(behind, page_bytes, [this, loop = back_office_](journal::Page page) {
    asio::post(loop, [this, page = std::move(page)]() mutable {
      page_ = std::move(page);
      page_bell_.ring();
    });
  });
  while (!page_) {
    bool const rung = co_await page_bell_.wait();
    if (!rung) co_return std::nullopt;
  }
  co_return std::exchange(page_, std::nullopt);
}

void CallLedger::take_back(journal::Entry const& entry) {
  auto record = journal::decode(entry.payload);
  if (!record) {
    // It may be of a later version of this program: it stays where it is.
    log_.error("journalled call record cannot be read", {{"call", entry.key}, {"detail", record.error().detail}});
    return;
  }
  auto const is_known = [&](Waiting const& waiting) {
    return waiting.record.id == record->id && waiting.record.version >= record->version;
  };
  auto const aside = set_aside_.find(record->id);
  if (aside != set_aside_.end() && aside->second >= record->version) return;
  if (std::ranges::any_of(in_hand_, is_known)) return;
  if (auto const waits = waiting_.find(record->id); waits != waiting_.end()) {
    if (is_known(waits->second)) return;
    waits->second.record = *std::move(record);
    waits->second.journalled = true;
    return;
  }
  pending_.fetch_add(1, std::memory_order_acq_rel);
  waiting_gauge_.Increment();
  ++reading_back_;
  wait_in_memory({.record = *std::move(record), .journalled = true, .read_back = true});
}

Async<> CallLedger::caught_up() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!caught_up_) {
    bool const stopped = co_await is_stopped();
    if (stopped) co_return;
    caught_up_bell_.expires_at(base::Instant::max());
    (void)co_await caught_up_bell_.async_wait(base::quietly);
  }
}

// ---- the end

Async<Result<>> CallLedger::drain(base::Instant deadline) {
  using namespace asio::experimental::awaitable_operators;
  if (pending() == 0) co_return Result<>{};
  if (journal_ == nullptr) {
    (void)co_await (until_written() || time_.wait_until(deadline));
    if (pending() == 0) co_return Result<>{};
    co_return base::fail(Fault::timed_out, "call records are not in the database yet");
  }
  draining_ = true;
  // A database that is only slow gets half of the time.
  auto const half = time_.now() + (deadline - time_.now()) / 2;
  auto const first = co_await (until_written() || until_in_journal(half) || time_.wait_until(deadline));
  draining_ = false;
  room_.ring();
  bool const in_journal = first.index() == 1 && std::get<1>(first);
  if (in_journal || pending() == 0) co_return Result<>{};
  co_return base::fail(Fault::timed_out, "call records are neither in the database nor in the journal yet");
}

Async<> CallLedger::until_written() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (pending() > 0) {
    all_written_.expires_at(base::Instant::max());
    (void)co_await all_written_.async_wait(base::quietly);
    bool const stopped = co_await is_stopped();
    if (stopped) co_return;
  }
}

/// True when everything that waits is certain on disk, and the database fails or has had its time; false when
/// cancelled.
Async<bool> CallLedger::until_in_journal(base::Instant database_has_until) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    if (failing_ || time_.now() >= database_has_until) {
      put_all_in_journal();
      bool const certain = co_await until_certain();
      if (certain && is_all_in_journal()) co_return true;
    }
    bool const rung = co_await changed_.wait();
    if (!rung) co_return false;
  }
}

/// False when cancelled.
Async<bool> CallLedger::until_certain() {
  auto const mine = ++certain_asked_;
  journal_->when_certain([this, mine, loop = back_office_] {
    asio::post(loop, [this, mine] {
      certain_reached_ = std::max(certain_reached_, mine);
      certain_bell_.ring();
    });
  });
  while (certain_reached_ < mine) {
    bool const rung = co_await certain_bell_.wait();
    if (!rung) co_return false;
  }
  co_return true;
}

}  // namespace crm
