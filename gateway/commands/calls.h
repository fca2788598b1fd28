#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "crm/model/call_record.h"
#include "gateway/commands/command.h"

namespace gateway {

/// `calls list|show`, below the group `calls`.
void add_call_commands(CLI::App& calls, CommandContext const& context, int& exit_code);

/// "90s", "15m", "1h", "7d".
std::optional<std::chrono::seconds> parse_ago(std::string_view text);

/// A turn's words with the part that the caller did not hear in brackets, dimmed on a terminal.
std::string with_heard_boundary(crm::CallTurn const& turn, bool colour);

}  // namespace gateway
