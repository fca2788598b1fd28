#pragma once
namespace CLI {
class App;
}

namespace sim::demo {

/// Adds `switchboard-sim demo`: a gateway, a simulated Twilio and a simulated ElevenLabs on loopback, one call to look
/// at, and all of it left running for more. `exit_code` outlives the parsing.
void add_demo_command(CLI::App& app, int& exit_code);

}  // namespace sim::demo
