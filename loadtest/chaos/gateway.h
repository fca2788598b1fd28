#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/demo/child.h"

namespace sim::chaos {

/// The gateway under test with its private PostgreSQL, in a folder of its own. Everything it started is gone after the
/// destructor. Blocking; one thread.
class Gateway {
 public:
  struct Settings {
    std::string program;
    std::filesystem::path folder;  ///< There already.
    demo::Child::Environment environment;
    bool can_lose_database = false;  ///< For take_database_away().
  };
  explicit Gateway(Settings settings);
  ~Gateway();
  Gateway(Gateway const&) = delete;
  Gateway& operator=(Gateway const&) = delete;

  std::string const& public_url() const { return public_url_; }
  std::string const& health_url() const { return health_url_; }
  std::filesystem::path data() const { return folder_ / "data"; }
  std::filesystem::path log() const { return folder_ / "gateway.log"; }

  /// Does not wait for it to get ready.
  void start();
  bool is_ready();
  bool is_running() { return child_ && child_->is_running(); }
  /// kill -9, and waits for the end.
  void kill();
  /// SIGTERM; the exit status.
  int stop(std::chrono::milliseconds patience);
  /// Runs another command of the program; what it printed. Throws std::runtime_error when it fails.
  std::string command(std::vector<std::string> arguments) const;

  /// PostgreSQL's immediate shutdown: as if it had crashed.
  void stop_database();
  /// Every process of it stands still.
  void pause_database();
  void resume_database();
  /// As stop_database(), and until let_database_start() nobody can start it again.
  void take_database_away();
  void let_database_start();
  /// What an SQL statement that gives one JSON value gives, asked with psql; nothing while the database is away.
  std::optional<std::string> query(std::string const& sql) const;
  /// A psql that prints the rows of a query again and again until it is ended or the database is; nothing while that is
  /// away. Any thread.
  std::unique_ptr<demo::Child> watch(std::string const& sql, std::chrono::milliseconds every) const;

 private:
  struct Server {
    pid_t process = 0;
    std::string socket_folder;
  };
  std::optional<Server> server() const;
  void end_database();
  /// How psql reaches it; nothing while the database is away.
  std::optional<std::vector<std::string>> psql_command() const;
  std::filesystem::path binaries() const { return folder_ / "postgres-programs"; }
  void link_program(std::string const& name) const;

  std::string program_;
  std::filesystem::path folder_;
  demo::Child::Environment environment_;
  std::string public_url_;
  std::string health_url_;
  std::string psql_;
  std::unique_ptr<demo::Child> child_;
  bool is_ready_ = false;
  std::vector<pid_t> paused_;
};

}  // namespace sim::chaos
