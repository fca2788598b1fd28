#pragma once
#include <functional>
#include <memory>
#include <string>

#include "config/settings.h"
#include "crm/pg/migrate.h"
#include "crm/pg/pool.h"
#include "crm/pg/private_postgres.h"
#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

namespace crm {

/// A database that can be connected to. Holds the private server, if it is one, for as long as this lives.
struct Database {
  std::string conninfo;
  std::shared_ptr<pg::PrivatePostgres> server;  ///< Empty when DATABASE_URL names the database.
  pg::MigrationReport schema{};
};

/// The database that the settings name, or the private PostgreSQL in `data_dir`/postgres (started or joined). Brings
/// the schema up to date. Throws pg::StartFailure.
Database open_database(config::Settings const& settings, pg::Purpose purpose);

/// Runs one piece of asynchronous work to its end on a loop of its own, with a pool of one connection; for commands and
/// tests. What the work throws is thrown here.
void run_with_pool(Database const& database, std::function<base::Async<>(pg::Pool&, base::TimeSource&)> const& work);

/// The same for work with a result: `work(pg::Pool&, base::Instant deadline) -> Async<Result<T>>`, at most `patience`
/// long.
template <class Work>
auto run_blocking(Database const& database, Work work,
                  base::TimeSource::Clock::duration patience = std::chrono::seconds{20}) {
  using Outcome = typename std::invoke_result_t<Work&, pg::Pool&, base::Instant>::value_type;
  Outcome outcome = base::fail(base::Fault::cancelled, "did not run");
  run_with_pool(database, [&](pg::Pool& pool, base::TimeSource& time) -> base::Async<> {
    outcome = co_await work(pool, time.now() + patience);
  });
  return outcome;
}

}  // namespace crm
