#pragma once
// The stage of the out-of-process flow tests: the real program as a child of the test, between both simulators, with a
// data directory and ports of its own. Real time.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crm/database.h"
#include "crm/model/call_record.h"
#include "loadtest/demo/child.h"
#include "tests/flow/simulators.h"

namespace outside {

using Child = sim::demo::Child;
using Environment = Child::Environment;
using Json = nlohmann::json;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool slowed = true;
#else
inline constexpr bool slowed = false;
#endif

/// A directory that every account may pass through, gone with its scope.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A free port of 127.0.0.1, outside the range from which the kernel serves connections.
std::uint16_t free_port();
/// Looks every few milliseconds until `condition` holds.
bool until(std::function<bool()> const& condition, milliseconds patience = 15s);
/// Processes whose command line names `folder` or that work in it, a line each.
std::vector<std::string> processes_of(std::filesystem::path const& folder);
/// Waits until there is none any more.
bool nothing_runs_in(std::filesystem::path const& folder);
/// Why there can be no private PostgreSQL here; empty when there can.
std::string missing_postgres();

/// A program that has ended: exit status (-1: it had to be killed), standard output and error.
struct Ended {
  int status = -1;
  std::string out;
  std::string err;
};
Ended run_to_end(std::vector<std::string> arguments, Environment const& environment,
                 std::filesystem::path const& folder, milliseconds patience = 40s);

class ChildScene {
 public:
  /// `changes` are laid over an environment with which `serve` starts; an empty value takes a setting away.
  /// With `tls` everything between the program and the simulators is encrypted.
  explicit ChildScene(Environment changes = {}, Encryption const& tls = {});
  ~ChildScene();
  ChildScene(ChildScene const&) = delete;
  ChildScene& operator=(ChildScene const&) = delete;

  /// Starts `serve`. Throws std::runtime_error, with what it wrote, when it does not get ready.
  void serve();
  /// Makes the demo business and waits until its number is routed.
  void seed();
  /// kill -9.
  void kill();
  /// SIGTERM, and waits for the end; the exit status, -1 when it had to be killed.
  int stop(milliseconds patience = 40s);
  Child& gateway() { return *gateway_; }
  std::string const& ready_line() const { return ready_line_; }
  /// Runs another command of the program with the same settings, its exit status and output.
  Ended command(std::vector<std::string> arguments, Environment const& changes = {});

  unsigned readiness();
  /// /healthz; an empty object when nobody answers.
  Json health();
  /// The sum of everything that /metrics tells under that name; with labels in braces, of that line alone.
  double metric(std::string const& name);
  std::string status_word() { return health().value("status", ""); }

  /// A call to the demo business that ends when somebody hangs up.
  CallPlan plan() const;
  PlacedCall place(CallPlan plan) { return sims.place(std::move(plan)); }
  /// The record as it is now, read from the database behind the program's back.
  std::optional<crm::CallRecord> record(std::string const& call_sid);
  /// Waits until it is terminal.
  std::optional<crm::CallRecord> ended_record(std::string const& call_sid, milliseconds patience = 10s);
  /// Waits until the record has an agent's turn of which this was heard.
  bool heard(std::string const& call_sid, std::string const& words, milliseconds patience = 15s);

  /// Of the private PostgreSQL; 0 when none runs.
  pid_t postmaster() const;
  /// Ends it as a crash does, and waits until it is gone.
  void kill_postmaster();

  std::string setting(std::string const& name) const { return environment_.at(name); }
  void set(std::string const& name, std::string value) { environment_[name] = std::move(value); }
  Environment environment_with(Environment const& changes) const;
  std::filesystem::path data() const { return folder.path() / "data"; }
  std::string log() const;
  std::vector<std::string> serve_command() const;

  Folder folder;
  Simulators sims;
  std::uint16_t const port = free_port();
  std::uint16_t const ops_port = free_port();
  std::string program;          ///< Path of the binary.
  std::vector<std::string> as;  ///< What runs the program: setpriv and its arguments, say.

 private:
  std::string conninfo() const;

  Environment environment_;
  std::string ready_line_;
  std::unique_ptr<Child> gateway_;
};

/// Skips aloud where there is no PostgreSQL.
class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    if (auto const why = missing_postgres(); !why.empty()) GTEST_SKIP() << "no PostgreSQL: " << why;
  }
};

std::size_t count(crm::CallRecord const& record, std::string_view kind);
/// Everything that was heard of the agent, a turn after the other.
std::string heard_of_agent(crm::CallRecord const& record);
/// Both directions flowed without a hole.
void expect_unbroken(CallResult const& result);

}  // namespace outside
