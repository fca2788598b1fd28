#include "crm/database.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

namespace crm {

Database open_database(std::string const& database_url, std::filesystem::path const& data_dir, pg::Purpose purpose) {
  Database database{.conninfo = database_url, .server = nullptr};
  if (database_url.empty()) {
    database.server = std::make_shared<pg::PrivatePostgres>(data_dir / "postgres", purpose);
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
