#pragma once
namespace CLI {
class App;
}

namespace sim::crm {

/// Adds `switchboard-sim hubspot`: a fake HubSpot account on the loopback address until SIGINT or SIGTERM. Prints
/// "ready http://127.0.0.1:PORT", then one line a request.
void add_hubspot_command(CLI::App& app, int& exit_code);

}  // namespace sim::crm
