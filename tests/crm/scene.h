#pragma once
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "crm/pg/migrate.h"
#include "crm/pg/pool.h"
#include "crm/pg/private_postgres.h"
#include "crm/pg/start_failure.h"
#include "gateway/base/time_source.h"

namespace test {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A directory that every account may pass through, gone with its scope. In memory if there is room: these tests crash
/// servers, and a recovery waits for the disk, which may be busy with something else.
class OpenFolder {
 public:
  OpenFolder() {
    std::error_code none;
    auto const memory = std::filesystem::space("/dev/shm", none);
    bool const roomy = !none && memory.available > 2'000'000'000;
    path_ = roomy ? "/dev/shm/switchboard-test-XXXXXX" : "/tmp/switchboard-test-XXXXXX";
    auto name = path_.string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
    ::chmod(name.c_str(), 0755);
  }
  ~OpenFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  OpenFolder(OpenFolder const&) = delete;
  OpenFolder& operator=(OpenFolder const&) = delete;
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The throw-away server that all tests of this program share; null, with the reason, where it cannot run.
struct SharedServer {
  OpenFolder folder;
  std::unique_ptr<crm::pg::PrivatePostgres> server;
  std::string missing;

  static SharedServer& get() {
    static SharedServer shared;
    return shared;
  }

 private:
  SharedServer() {
    try {
      server = std::make_unique<crm::pg::PrivatePostgres>(folder.path() / "postgres", crm::pg::Purpose::serve);
    } catch (crm::pg::StartFailure const& failure) {
      missing = failure.what();
    }
  }
};

/// Runs SQL on a connection of its own, blocking; the first value of the answer.
inline std::string sql(std::string const& conninfo, std::string const& text) {
  std::unique_ptr<PGconn, void (*)(PGconn*)> const connection{PQconnectdb(conninfo.c_str()), PQfinish};
  std::unique_ptr<PGresult, void (*)(PGresult*)> const result{PQexec(connection.get(), text.c_str()), PQclear};
  auto const status = PQresultStatus(result.get());
  EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection.get());
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

/// A database of its own for each test, and a loop to run coroutines on.
class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!server()) GTEST_SKIP() << "no PostgreSQL: " << SharedServer::get().missing;
    server()->revive();
    conninfo = make_database();
  }

  static crm::pg::PrivatePostgres* server() { return SharedServer::get().server.get(); }

  static std::string make_database() {
    static int count = 0;
    auto const name = "test_" + std::to_string(++count);
    sql(server()->conninfo(), "create database " + name);
    return server()->conninfo() + " dbname=" + name;  // of two settings libpq takes the last
  }

  /// Ends the server as `pg_ctl stop -m immediate` does.
  static void kill_server() {
    auto const process = server()->server();
    ::kill(process, SIGQUIT);
    ASSERT_TRUE(crm::pg::wait_until_gone(process, seconds{20}));
  }

  crm::pg::PoolSettings settings(std::size_t size = 2) const {
    return {.conninfo = conninfo, .size = size, .longest_backoff = milliseconds{100}};
  }
  base::Instant soon() const { return time.now() + seconds{10}; }
  base::Instant in(milliseconds span) const { return time.now() + span; }

  /// Runs a coroutine to its end.
  template <class T>
  T run(base::Async<T> work) {
    std::optional<T> outcome;
    std::exception_ptr crash;
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr thrown, T value) {
      crash = thrown;
      outcome = std::move(value);
    });
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{60};
    while (!outcome && std::chrono::steady_clock::now() < until) loop.run_one_until(until);
    if (crash) std::rethrow_exception(crash);
    if (!outcome) throw std::runtime_error{"the coroutine did not end"};
    return *std::move(outcome);
  }

  std::string conninfo;
  base::SystemTime time;
  asio::io_context loop{1};
};

}  // namespace test
