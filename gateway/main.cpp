#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>

#include "config/load.h"
#include "gateway/commands/audit.h"
#include "gateway/commands/integrations.h"
#include "gateway/commands/journal.h"
#include "gateway/commands/keys.h"
#include "gateway/commands/outbox.h"
#include "gateway/commands/records.h"
#include "gateway/commands/seed.h"
#include "gateway/serve_command.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Switchboard answers a business's phone with an AI receptionist and writes down what happened.",
               "switchboard"};
  app.require_subcommand(1);
  app.set_version_flag("--version", SWITCHBOARD_VERSION);

  int exit_code = 0;
  std::map<std::string, std::string> flags;
  std::string config_file;
  auto const load_settings = [&] {
    std::optional<std::filesystem::path> file;
    if (!config_file.empty()) file = config_file;
    return config::load(config::process_sources(config::Purpose::tool, {}, file));
  };
  gateway::CommandContext context{[&] { return crm::open_database(load_settings(), crm::pg::Purpose::command); },
                                  &std::cout, &std::cerr, ::isatty(STDOUT_FILENO) == 1, load_settings};
  gateway::add_serve_commands(app, context, flags, config_file, exit_code);
  gateway::add_record_commands(app, context, exit_code);
  gateway::add_journal_commands(app, context, exit_code);
  gateway::add_integration_commands(app, context, exit_code);
  gateway::add_outbox_commands(app, context, exit_code);
  gateway::add_seed_command(app, context, exit_code);
  gateway::add_key_commands(app, context, exit_code);
  gateway::add_audit_commands(app, context, exit_code);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return gateway::exit_code_for(app, error, context);
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "switchboard: %s\n", failure.what());
    return 1;
  }
}
