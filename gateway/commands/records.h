#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// Adds the commands that keep records: tenants, services, agents, numbers, users, calls, migrate; all take --json.
/// What they did is in `exit_code` after app.parse() (0 done, 1 failed); wrong usage is a CLI::ParseError, see
/// exit_code_for(). `app` and `exit_code` outlive the parsing.
void add_record_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
