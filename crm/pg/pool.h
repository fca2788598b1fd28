#pragma once
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "crm/pg/connection.h"
#include "crm/pg/query.h"
#include "crm/pg/row.h"
#include "crm/pg/session.h"
#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

namespace crm::pg {

struct PoolSettings {
  std::string conninfo;
  std::size_t size = 4;  ///< Connections at most.
  base::TimeSource::Clock::duration connect_timeout = std::chrono::seconds{5};
  base::TimeSource::Clock::duration first_backoff =
      std::chrono::milliseconds{20};  ///< After a refused connect; doubles.
  base::TimeSource::Clock::duration longest_backoff = std::chrono::seconds{2};
  /// How long a database may be away before callers hear so at once instead of waiting for the next attempt; one of
  /// them still makes it when it is due. A restart is over in less.
  base::TimeSource::Clock::duration patience = base::TimeSource::Clock::duration::max();
};

/// What a transaction's work may do.
class Transaction final : public Session {
 public:
  Transaction(Connection& connection, base::Instant deadline) : connection_{connection}, deadline_{deadline} {}
  base::Async<base::Result<Rows>> run(Query query, Params params) override {
    return connection_.run(query, std::move(params), deadline_);
  }

 private:
  Connection& connection_;
  base::Instant deadline_;
};

/// The connections of one core; everything happens on its one thread. Connects when needed, waits out a backoff while
/// the database is away, hands each connection to one coroutine at a time in the order they came. Every call ends at
/// its deadline. A coroutine that is cancelled or times out loses its connection, the others do not notice.
class Pool {
 public:
  Pool(PoolSettings settings, base::TimeSource& time) : settings_{std::move(settings)}, time_{time} {}
  ~Pool();
  Pool(Pool const&) = delete;
  Pool& operator=(Pool const&) = delete;

  /// One statement, a transaction of its own.
  base::Async<base::Result<Rows>> run(Query query, Params params, base::Instant deadline);

  /// The same for several statements that need not belong together.
  class Until;
  Until until(base::Instant deadline);

  /// Runs `work(Transaction&) -> Async<Result<T>>` between begin and commit; its error rolls back and is returned. When
  /// the connection is lost at the commit the answer is Fault::unavailable although the work may have been kept: make
  /// it repeatable.
  template <class Work>
  std::invoke_result_t<Work&, Transaction&> transaction(Work work, base::Instant deadline);

  /// The same for the rows of one tenant: row-level security shows and takes no others, whatever a statement says.
  template <class Work>
  std::invoke_result_t<Work&, Transaction&> transaction_of(base::TenantId tenant, Work work, base::Instant deadline);

  /// Closes idle connections and fails everything from now on; statements under way end by themselves.
  void close();
  /// Connections open or being opened.
  std::size_t open() const { return open_; }

 private:
  /// The right to one connection for a scope; gives it back, or closes it when it is in the middle of something.
  class Lease {
   public:
    Lease() = default;
    Lease(Pool& pool, std::unique_ptr<Connection> connection) : pool_{&pool}, connection_{std::move(connection)} {}
    Lease(Lease&& other) noexcept
        : pool_{std::exchange(other.pool_, nullptr)}, connection_{std::move(other.connection_)} {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(connection_, other.connection_);
      return *this;
    }
    ~Lease() {
      if (pool_ != nullptr) pool_->give_back(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_ = nullptr;
    std::unique_ptr<Connection> connection_;
  };
  struct Waiter {
    explicit Waiter(asio::any_io_executor executor) : bell{executor, base::Instant::max()} {}
    /// A time in the past instead of a cancellation: it also reaches a wait that has yet to begin.
    void ring() {
      rung = true;
      bell.expires_at(base::Instant::min());
    }
    asio::steady_timer bell;
    bool rung = false;
  };

  base::Async<base::Result<Lease>> acquire(base::Instant deadline);
  base::Async<base::Result<Lease>> connect(base::Instant deadline);
  base::Async<base::Result<>> wait_turn(base::Instant deadline);
  void give_back(std::unique_ptr<Connection> connection);
  void ring_next();
  void note_failure(base::Error const& error, base::Instant began);
  bool is_out_of_patience() const;
  static base::Async<base::Result<>> finish(Connection& connection, base::Instant deadline);
  static base::Async<base::Result<>> begin(Connection& connection, base::Instant deadline);
  static base::Async<base::Result<>> confine(Transaction& transaction, base::TenantId tenant);
  static base::Async<base::Result<>> roll_back(Connection& connection, base::Instant deadline);

  PoolSettings settings_;
  base::TimeSource& time_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::list<Waiter*> waiters_;
  std::size_t open_ = 0;
  base::Instant next_attempt_{};
  base::TimeSource::Clock::duration backoff_{};
  std::optional<base::Instant> away_since_;  // the first failure to connect since the database was last heard of
  std::string last_failure_;
  bool closed_ = false;
};

/// Each statement takes a connection of the pool for itself. Lives no longer than the pool.
class Pool::Until final : public Session {
 public:
  Until(Pool& pool, base::Instant deadline) : pool_{pool}, deadline_{deadline} {}
  base::Async<base::Result<Rows>> run(Query query, Params params) override {
    return pool_.run(query, std::move(params), deadline_);
  }

 private:
  Pool& pool_;
  base::Instant deadline_;
};

inline Pool::Until Pool::until(base::Instant deadline) {
  return Until{*this, deadline};
}

template <class Work>
std::invoke_result_t<Work&, Transaction&> Pool::transaction_of(base::TenantId tenant, Work work,
                                                               base::Instant deadline) {
  auto const as_tenant = [&](Transaction& transaction) -> std::invoke_result_t<Work&, Transaction&> {
    auto const confined = co_await confine(transaction, tenant);
    if (!confined) co_return std::unexpected{confined.error()};
    auto outcome = co_await work(transaction);
    co_return outcome;
  };
  auto outcome = co_await transaction(as_tenant, deadline);
  co_return outcome;
}

template <class Work>
std::invoke_result_t<Work&, Transaction&> Pool::transaction(Work work, base::Instant deadline) {
  auto lease = co_await acquire(deadline);
  if (!lease) co_return std::unexpected{lease.error()};
  auto const begun = co_await begin(**lease, deadline);
  if (!begun) co_return std::unexpected{begun.error()};
  Transaction transaction{**lease, deadline};
  auto outcome = co_await work(transaction);
  if (!outcome) {
    // If this fails too, the lease closes the connection, which rolls back as well.
    auto const undone = co_await roll_back(**lease, deadline);
    (void)undone;
    co_return outcome;
  }
  auto const kept = co_await finish(**lease, deadline);
  if (!kept) co_return std::unexpected{kept.error()};
  co_return outcome;
}

}  // namespace crm::pg
