#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// Adds `integrations add|list|test|enable|disable`: the other systems that a tenant wants told.
void add_integration_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
