#pragma once
namespace CLI {
class App;
}

namespace sim::elevenlabs {

/// Adds `switchboard-sim elevenlabs`: the simulated agent platform on the loopback address until SIGINT or SIGTERM.
/// Prints "ready http://127.0.0.1:PORT", then one line an event (a JSON object each with --json). The subcommand runs
/// inside CLI parsing, when it was chosen; its result is written to `exit_code`: 0, 1 failed, 2 wrong usage.
void add_elevenlabs_command(CLI::App& app, int& exit_code);

}  // namespace sim::elevenlabs
