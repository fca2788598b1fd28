#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `agents add|update|list`, below the group `agents`.
void add_agent_commands(CLI::App& agents, CommandContext const& context, int& exit_code);

}  // namespace gateway
