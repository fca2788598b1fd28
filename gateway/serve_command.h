#pragma once
#include <map>
#include <string>

#include "gateway/commands/command.h"

namespace gateway {

/// Adds `serve` (with a flag for every setting) and `doctor`. `flags` receives what was given, under setting flag
/// names; it and `exit_code` outlive the parsing.
void add_serve_commands(CLI::App& app, CommandContext const& context, std::map<std::string, std::string>& flags,
                        std::string& config_file, int& exit_code);

}  // namespace gateway
