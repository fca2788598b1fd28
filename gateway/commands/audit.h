#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `audit list` shows what people did, `audit verify` whether a tenant's chain of entries is whole. Both take --json.
void add_audit_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
