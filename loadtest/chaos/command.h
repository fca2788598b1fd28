#pragma once
namespace CLI {
class App;
}

namespace sim::chaos {

/// Adds `switchboard-sim chaos`: calls through a gateway that is killed, whose database dies and whose receivers fail,
/// and a judge. Exit 0 when nothing was lost or doubled, 1 otherwise, 2 wrong usage, 130 interrupted.
void add_chaos_command(CLI::App& app, int& exit_code);

}  // namespace sim::chaos
