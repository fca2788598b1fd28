#pragma once
namespace CLI {
class App;
}

namespace sim::crm {

/// Adds `switchboard-sim crm`: the systems that a business wants told, until SIGINT or SIGTERM.
void add_crm_command(CLI::App& app, int& exit_code);

}  // namespace sim::crm
