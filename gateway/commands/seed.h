#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `seed`: a demo business with one agent and one number, as the simulators expect them. Running it again changes
/// nothing.
void add_seed_command(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
