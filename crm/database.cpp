#include "crm/database.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

namespace crm {

Database open_database(config::Settings const& settings, pg::Purpose purpose) {
  Database database{.conninfo = std::string{settings.database_url.reveal()}, .server = nullptr};
  if (database.conninfo.empty()) {
    database.server = std::make_shared<pg::PrivatePostgres>(settings.data_dir / "postgres", purpose, settings.pg_bin);
    database.conninfo = database.server->conninfo();
  }
  database.schema = pg::migrate(database.conninfo);
  return database;
}

void run_with_pool(Database const& database, std::function<base::Async<>(pg::Pool&, base::TimeSource&)> const& work) {
  asio::io_context loop{1};
  base::SystemTime time;
  pg::Pool pool{pg::PoolSettings{.conninfo = database.conninfo, .size = 1}, time};
  std::exception_ptr crash;
  asio::co_spawn(loop, work(pool, time), [&](std::exception_ptr thrown) { crash = thrown; });
  loop.run();
  pool.close();
  if (crash) std::rethrow_exception(crash);
}

}  // namespace crm
