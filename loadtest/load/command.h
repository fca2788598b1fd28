#pragma once

namespace CLI {
class App;
}

namespace sim::load {

/// `switchboard-sim load`: one run, or with --max-calls a search. 0 when every call went well and nothing was lost, 1
/// when not or when the generator was the bottleneck, 2 wrong usage.
void add_load_command(CLI::App& app, int& exit_code);

}  // namespace sim::load
