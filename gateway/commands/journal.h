#pragma once
#include "gateway/commands/command.h"

namespace gateway {

/// `switchboard journal list|drop`: the call records on disk that the database has not taken yet, and how to be rid of
/// one that it never will take. Asks no database.
void add_journal_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
