#include "crm/pg/pool.h"

#include <algorithm>
#include <cassert>

namespace crm::pg {
namespace {

using base::Async;
using base::fail;
using base::Fault;
using base::Result;

constexpr Query begin_query{"begin", "begin"};
// Both last until the end of the transaction, and no longer.
constexpr Query confine_query{
    "confine", "select set_config('role', 'switchboard_app', true), set_config('switchboard.tenant', $1, true)"};
constexpr Query commit_query{"commit", "commit"};
constexpr Query rollback_query{"rollback", "rollback"};

}  // namespace

Pool::~Pool() {
  assert(open_ == idle_.size() && waiters_.empty());
}

Async<Result<Rows>> Pool::run(Query query, Params params, base::Instant deadline) {
  auto lease = co_await acquire(deadline);
  if (!lease) co_return std::unexpected{lease.error()};
  auto rows = co_await (*lease)->run(query, std::move(params), deadline);
  co_return rows;
}

void Pool::close() {
  closed_ = true;
  open_ -= idle_.size();
  idle_.clear();
  for (auto* waiter : waiters_) waiter->ring();
}

Async<Result<Pool::Lease>> Pool::acquire(base::Instant deadline) {
  for (;;) {
    if (closed_) co_return fail(Fault::unavailable, "the database pool is closed");
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->usable()) co_return Lease{*this, std::move(connection)};
      --open_;  // the server hung up while it was idle
    }
    if (open_ < settings_.size) {
      auto lease = co_await connect(deadline);
      bool const again = !lease && lease.error().fault == Fault::unavailable && time_.now() < deadline && !closed_ &&
                         next_attempt_ < deadline && !is_out_of_patience();
      if (again) continue;
      co_return lease;
    }
    auto const turn = co_await wait_turn(deadline);
    if (!turn) co_return std::unexpected{turn.error()};
  }
}

Async<Result<Pool::Lease>> Pool::connect(base::Instant deadline) {
  // While the database is away its callers wait for the next attempt, or hear at once that it comes too late for them.
  if (time_.now() < next_attempt_) {
    if (next_attempt_ >= deadline || is_out_of_patience()) co_return fail(Fault::unavailable, last_failure_);
    auto const waited = co_await time_.wait_until(next_attempt_);
    if (!waited) co_return std::unexpected{waited.error()};
    // A connection may have come back meanwhile, and others may have taken the free places.
    if (!idle_.empty() || open_ >= settings_.size) co_return fail(Fault::unavailable, last_failure_);
  }
  struct Place {  // counts the connection being made; a cancelled attempt frees its place
    Pool* pool;
    ~Place() {
      if (pool != nullptr) pool->give_back(nullptr);
    }
  };
  ++open_;
  Place place{this};
  auto const began = time_.now();
  auto const until = std::min(deadline, began + settings_.connect_timeout);
  auto connection = co_await Connection::open(settings_.conninfo, time_, until);
  if (!connection) {
    if (connection.error().fault != Fault::cancelled) note_failure(connection.error(), began);
    co_return std::unexpected{connection.error()};
  }
  place.pool = nullptr;
  backoff_ = {};
  away_since_.reset();
  co_return Lease{*this, std::move(*connection)};
}

void Pool::note_failure(base::Error const& error, base::Instant began) {
  auto const longer = std::min(backoff_ * 2, settings_.longest_backoff);
  backoff_ = std::max(longer, settings_.first_backoff);
  next_attempt_ = time_.now() + backoff_;
  last_failure_ = error.detail;
  // That somebody in a hurry got no connection in time says little about the database.
  bool const is_away = error.fault != Fault::timed_out || time_.now() - began >= settings_.patience;
  if (is_away && !away_since_) away_since_ = began;
}

bool Pool::is_out_of_patience() const {
  return away_since_ && time_.now() - *away_since_ >= settings_.patience;
}

Async<Result<>> Pool::wait_turn(base::Instant deadline) {
  using namespace asio::experimental::awaitable_operators;
  Waiter waiter{co_await asio::this_coro::executor};
  struct Place {
    Pool& pool;
    Waiter& waiter;
    std::list<Waiter*>::iterator at;
    bool served = false;
    ~Place() {
      if (!waiter.rung)
        pool.waiters_.erase(at);
      else if (pool.closed_)
        pool.waiters_.remove(&waiter);
      else if (!served)
        pool.ring_next();  // we leave without using our turn: it is the next one's
    }
  };
  Place place{*this, waiter, waiters_.insert(waiters_.end(), &waiter)};
  auto const bell = [](Waiter& mine) -> Async<> { (void)co_await mine.bell.async_wait(base::quietly); };
  (void)co_await (bell(waiter) || time_.wait_until(deadline));
  auto const stop = co_await asio::this_coro::cancellation_state;
  if (stop.cancelled() != asio::cancellation_type::none) co_return fail(Fault::cancelled, "database wait cancelled");
  if (!waiter.rung) co_return fail(Fault::timed_out, "every database connection was busy for too long");
  place.served = true;
  co_return Result<>{};
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  if (connection && !closed_ && connection->usable()) {
    away_since_.reset();  // others may have failed to connect meanwhile: it is full, not away
    idle_.push_back(std::move(connection));
  } else {
    --open_;
  }
  ring_next();
}

void Pool::ring_next() {
  if (waiters_.empty() || closed_) return;
  auto* const waiter = waiters_.front();
  waiters_.pop_front();
  waiter->ring();
}

Async<Result<>> Pool::begin(Connection& connection, base::Instant deadline) {
  auto const done = co_await connection.run(begin_query, {}, deadline);
  if (!done) co_return std::unexpected{done.error()};
  co_return Result<>{};
}

Async<Result<>> Pool::confine(Transaction& transaction, base::TenantId tenant) {
  Params params{tenant};
  auto const done = co_await transaction.run(confine_query, std::move(params));
  if (!done) co_return std::unexpected{done.error()};
  co_return Result<>{};
}

Async<Result<>> Pool::roll_back(Connection& connection, base::Instant deadline) {
  auto const done = co_await connection.run(rollback_query, {}, deadline);
  if (!done) co_return std::unexpected{done.error()};
  co_return Result<>{};
}

Async<Result<>> Pool::finish(Connection& connection, base::Instant deadline) {
  auto const done = co_await connection.run(commit_query, {}, deadline);
  if (!done) co_return std::unexpected{done.error()};
  // PostgreSQL answers the commit of a failed transaction with ROLLBACK, as a success.
  if (done->tag() != "COMMIT") co_return fail(Fault::conflict, "the transaction had failed and was rolled back");
  co_return Result<>{};
}

}  // namespace crm::pg
