#pragma once
#include "gateway/command.h"

namespace gateway {

/// `generate-encryption-key` makes a value for INTEGRATION_ENCRYPTION_KEY; `secrets rotate` wraps the tenants' keys
/// with the current one after a change. Both take --json.
void add_key_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
