#pragma once
#include "crm/integrations/vault.h"
#include "gateway/commands/command.h"

namespace gateway {

/// The vault of these settings, with the legacy passphrase if there is one. Throws CommandFailure when the keys cannot
/// be read.
crm::Vault open_vault(config::Settings const& settings);

/// `generate-encryption-key` makes a value for INTEGRATION_ENCRYPTION_KEY; `secrets rotate` wraps the tenants' keys
/// with the current one after a change; `secrets migrate` writes what an earlier product sealed anew. All take --json.
void add_key_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
