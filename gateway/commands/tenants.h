#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `tenants add|update|show|list`: a business, when it is open, how it books and when it may write to people.
void add_tenant_commands(CLI::App& tenants, CommandContext const& context, int& exit_code);

}  // namespace gateway
