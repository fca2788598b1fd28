#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `services add|update|list`: what a business offers by appointment, how long it takes and in whose calendar. All take
/// --json.
void add_service_commands(CLI::App& services, CommandContext const& context, int& exit_code);

}  // namespace gateway
