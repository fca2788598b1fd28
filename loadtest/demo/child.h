#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sim::demo {

/// A program we started, in a process group of its own so that Ctrl-C reaches only us. Ended and waited for at the
/// latest by the destructor. Blocking; for the demo's main thread.
class Child {
 public:
  using Environment = std::map<std::string, std::string>;

  /// `log` receives standard error, and standard output too unless `read_output`. Throws std::system_error.
  Child(std::vector<std::string> arguments, Environment const& environment, std::filesystem::path const& log,
        bool read_output);
  ~Child();
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;

  /// The next line of its standard output; empty at the end or after `patience`.
  std::string read_line(std::chrono::milliseconds patience);
  /// All of its standard output, until it closes it.
  std::string read_all();
  /// Sends a signal, if it still runs.
  void signal(int number);
  /// SIGTERM, then waits; SIGKILL after `patience`. The exit status.
  int stop(std::chrono::milliseconds patience);
  /// Waits for it to end by itself; -1 if it has not by then.
  int wait(std::chrono::milliseconds patience);
  /// False once it has ended.
  bool is_running();
  /// -1 once it has ended.
  pid_t pid() const { return pid_; }

 private:
  bool reap(bool block);
  pid_t pid_ = -1;
  int output_ = -1;
  int status_ = -1;
  std::string buffer_;
};

/// Runs a command to its end and returns what it printed. Throws std::runtime_error with its log's name when it fails.
std::string run(std::vector<std::string> arguments, Child::Environment const& environment,
                std::filesystem::path const& log);

}  // namespace sim::demo
