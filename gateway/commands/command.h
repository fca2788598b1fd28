#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/settings.h"
#include "crm/database.h"
#include "gateway/base/ids.h"
#include "gateway/base/result.h"

namespace gateway {

/// What the commands of the binary need from main(): how to get at the database, and where to write.
struct CommandContext {
  std::function<crm::Database()> open_database;  ///< May throw crm::pg::StartFailure.
  std::ostream* out;
  std::ostream* err;
  bool colour = false;                                ///< `out` is a terminal: what a caller did not hear is dimmed.
  std::function<config::Settings()> load_settings{};  ///< May throw; for commands that need no database.
};

/// A command that cannot do what it was asked; what() is one sentence for the person at the keyboard.
class CommandFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A command that was told something it cannot mean: a sentence for each thing that is wrong. The process exits with 2.
class WrongUsage : public std::runtime_error {
 public:
  explicit WrongUsage(std::vector<std::string> sentences)
      : std::runtime_error{sentences.empty() ? "wrong usage" : sentences.front()}, sentences_{std::move(sentences)} {}
  std::vector<std::string> const& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
};

/// What becomes of the process: 0 done (or help asked for), 1 failed, 2 wrong usage.
int exit_code_for(CLI::App const& app, CLI::ParseError const& error, CommandContext const& context);

/// Runs `body` when `command` is given, prints what it throws, and leaves 0 or 1, or 2 for WrongUsage, in `exit_code`,
/// which outlives the parsing.
void on_command(CLI::App& command, CommandContext const& context, int& exit_code, std::function<void()> body);

/// The id of what a command has made, alone on a line or as {"id": …}.
void print_id(CommandContext const& context, bool json, std::string const& id);

/// What --tenant was given.
std::optional<base::TenantId> chosen_tenant(std::optional<std::string> const& id);

/// A sentence for a fault that a command does not explain better itself.
std::string sentence_for(base::Error const& error);

/// Opens the database, runs `work(pool, deadline) -> Async<Result<T>>` and returns the result.
template <class Work>
auto try_with_database(CommandContext const& context, Work work) {
  auto const database = context.open_database();
  return crm::run_blocking(database, std::move(work));
}

/// The same, and a fault ends the command.
template <class Work>
auto with_database(CommandContext const& context, Work work) {
  auto outcome = try_with_database(context, std::move(work));
  if (!outcome) throw CommandFailure{sentence_for(outcome.error())};
  return *std::move(outcome);
}

/// Declares "--name,!--no-name". Nothing is set when neither is given; CLI11's own flag would make it false.
void add_switch(CLI::App& command, std::string const& names, std::optional<bool>& value, std::string const& what);

/// Who runs the command, for the audit: "cli:" and the name of the operating system's account.
std::string command_actor();

/// For CLI11: empty when the text is a phone number, else what is wrong with it.
std::string check_e164(std::string const& text);

}  // namespace gateway
