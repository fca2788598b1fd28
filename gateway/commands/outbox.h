#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// Adds `outbox list|show|retry`: what other systems must still be told. Payloads, which hold names and numbers, are
/// not shown.
void add_outbox_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
