#include "crm/pg/private_postgres.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "crm/pg/postmaster_file.h"
#include "crm/pg/server_binaries.h"
#include "crm/pg/start_failure.h"

namespace crm::pg {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds glance{5};                        // between two looks at a server that is coming up
constexpr std::uintmax_t longest_log = 8 * 1024 * 1024;  // server.log starts afresh when larger

std::string quoted(std::string const& value) {
  std::string text = "'";
  for (char const c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

std::string conninfo_for(std::string const& socket_folder, char const* database) {
  return fmt::format("host={} port=5432 user=switchboard connect_timeout=10 dbname={}", quoted(socket_folder),
                     database);
}

struct Closed {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};

std::optional<int> major_of(fs::path const& cluster) {
  std::ifstream in{cluster / "PG_VERSION"};
  int major = 0;
  if (!(in >> major)) return std::nullopt;
  return major;
}

/// One call instead of initdb's fsync of a thousand files, which takes seconds.
void sync_file_system_of(fs::path const& folder) {
  int const handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const synced = handle >= 0 && ::syncfs(handle) == 0;
  if (handle >= 0) ::close(handle);
  if (!synced) throw StartFailure{fmt::format("cannot write {} to disk: {}", folder.string(), std::strerror(errno))};
}

/// Holds the right to start or stop the server for a scope.
class Change {
 public:
  Change(ClusterLock& lock, milliseconds patience) : lock_{lock} {
    if (!lock_.take_change(patience))
      throw StartFailure{"another process keeps starting or stopping the private database"};
  }
  ~Change() { lock_.leave_change(); }
  Change(Change const&) = delete;
  Change& operator=(Change const&) = delete;

 private:
  ClusterLock& lock_;
};

}  // namespace

PrivatePostgres::PrivatePostgres(fs::path const& data_dir, Purpose purpose, fs::path binaries, milliseconds patience)
    : home_{settle(data_dir)}, chosen_binaries_{std::move(binaries)}, lock_{home_.lock} {
  if (purpose == Purpose::serve && !lock_.take_service()) {
    throw StartFailure{fmt::format("another Switchboard (process {}) serves from {}", lock_.service_holder(),
                                   fs::absolute(data_dir).string())};
  }
  Change const change{lock_, patience};
  lock_.take_use();
  in_use_ = true;
  start_or_adopt(patience);
}

PrivatePostgres::~PrivatePostgres() {
  try {
    stop();
  } catch (std::exception const&) {
    // A server that is left running is adopted by the next start.
  }
}

bool PrivatePostgres::revive() {
  Change const change{lock_, seconds{60}};
  if (find_running_server(home_.cluster)) return false;
  start_or_adopt(seconds{60});
  return true;
}

void PrivatePostgres::start_or_adopt(milliseconds patience) {
  auto const until = steady_clock::now() + patience;
  if (!fs::exists(home_.cluster / "PG_VERSION")) make_cluster();
  std::error_code no_log;
  auto const log_start = fs::file_size(home_.log, no_log);
  auto const said = [&] { return tail_of(home_.log, no_log ? 0 : log_start); };
  pid_t launched = 0;
  int failures = 0;
  for (;;) {
    auto const running = find_running_server(home_.cluster);
    if (running && running->ready) {
      auto const candidate = conninfo_for(running->socket_folder, "postgres");
      if (PQping(candidate.c_str()) == PQPING_OK) {
        server_ = running->process;
        conninfo_ = conninfo_for(running->socket_folder, "switchboard");
        break;
      }
    }
    if (launched != 0 && wait_until_gone(launched, milliseconds{0})) {
      launched = 0;
      // Children of a killed server hold on to its memory for a moment, and a new server refuses to start meanwhile.
      if (++failures > 20) throw StartFailure{"the private database does not start: " + said()};
      std::this_thread::sleep_for(milliseconds{100});
    }
    if (!running && launched == 0) launched = launch();
    if (steady_clock::now() >= until) throw StartFailure{"the private database does not come up in time: " + said()};
    std::this_thread::sleep_for(glance);
  }
  make_database();
}

void PrivatePostgres::make_cluster() {
  auto const binaries = find_server_binaries(chosen_binaries_, std::nullopt);
  auto const draft =
      home_.folder / "cluster.new";  // renamed when whole, so that a killed initdb leaves no half cluster
  fs::remove_all(draft);
  fs::remove_all(home_.cluster);  // has no PG_VERSION: holds nothing
  auto const made =
      run_as(home_.user, {(binaries / "initdb").string(), "-D", draft.string(), "-U", "switchboard", "-E", "UTF8",
                          "--locale=C", "--auth=trust", "--data-checksums", "--no-instructions", "--no-sync"});
  if (made.exit_code != 0) throw StartFailure{"initdb failed: " + made.output};
  sync_file_system_of(draft);
  fs::rename(draft, home_.cluster);
  sync_file_system_of(home_.folder);
}

pid_t PrivatePostgres::launch() {
  auto const binaries = find_server_binaries(chosen_binaries_, major_of(home_.cluster));
  std::error_code error;
  if (fs::file_size(home_.log, error) > longest_log && !error) fs::resize_file(home_.log, 0, error);
  std::vector<std::string> arguments{(binaries / "postgres").string(), "-D", home_.cluster.string()};
  auto const set = [&](std::string const& setting) {
    arguments.push_back("-c");
    arguments.push_back(setting);
  };
  set("listen_addresses=");
  set("port=5432");
  set("unix_socket_directories=" + socket_folder(home_).string());
  set("unix_socket_permissions=0700");
  set("shared_buffers=64MB");
  set("max_connections=100");
  set("max_wal_size=512MB");
  set("fsync=on");
  set("synchronous_commit=on");
  set("recovery_init_sync_method=syncfs");  // after a crash: not an fsync of every file, one by one
  set("jit=off");
  set("timezone=UTC");
  set("logging_collector=off");
  // Statements and key values hold phone numbers and transcripts: neither goes to the log.
  set("log_min_error_statement=panic");
  set("log_error_verbosity=terse");
  set("log_min_messages=warning");
  set("client_connection_check_interval=2s");  // a query whose client gave up at its deadline ends soon
  return start_session_as(home_.user, arguments, home_.log);
}

void PrivatePostgres::make_database() {
  std::unique_ptr<PGconn, Closed> const connection{PQconnectdb(conninfo_.c_str())};
  if (PQstatus(connection.get()) == CONNECTION_OK) return;
  auto running = find_running_server(home_.cluster);
  if (!running) throw StartFailure{"the private database ended while it was being set up"};
  std::unique_ptr<PGconn, Closed> const first{PQconnectdb(conninfo_for(running->socket_folder, "postgres").c_str())};
  std::unique_ptr<PGresult, Closed> const made{PQexec(first.get(), "create database switchboard")};
  if (PQresultStatus(made.get()) != PGRES_COMMAND_OK) {
    throw StartFailure{fmt::format("cannot make the private database: {}", PQerrorMessage(first.get()))};
  }
}

void PrivatePostgres::stop() {
  if (!in_use_) return;
  in_use_ = false;
  Change const change{lock_, seconds{60}};
  bool const last = lock_.is_last_user();
  auto const running = find_running_server(home_.cluster);
  if (last && running) {
    ::kill(running->process, SIGINT);  // fast shutdown: disconnects, checkpoints, ends
    if (!wait_until_gone(running->process, seconds{20})) {
      ::kill(running->process, SIGQUIT);  // immediate: recovers from its log at the next start
      if (!wait_until_gone(running->process, seconds{10})) ::kill(running->process, SIGKILL);
    }
    std::error_code not_empty;
    fs::remove(running->socket_folder, not_empty);  // it may lie outside our own folder
  }
  if (server_ != 0) wait_until_gone(server_, milliseconds{0});  // reaps our child if it died before
  lock_.leave_use();
}

}  // namespace crm::pg
