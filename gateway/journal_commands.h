#pragma once
#include "gateway/command.h"

namespace gateway {

/// `switchboard journal list`: the call records on disk that the database has not taken yet. Asks no database.
void add_journal_commands(CLI::App& app, CommandContext const& context, int& exit_code);

}  // namespace gateway
