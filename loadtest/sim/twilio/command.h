#pragma once
namespace CLI {
class App;
}

namespace sim::twilio {

/// Adds `switchboard-sim twilio`: the carrier with its REST twin and control endpoint until SIGINT or SIGTERM.
void add_twilio_command(CLI::App& app, int& exit_code);

/// Adds `switchboard-sim call`: one call to a running gateway, with a live timeline and a latency summary. Exit 0 when
/// the call ended normally and Twilio would have logged nothing, 1 otherwise, 2 wrong usage.
void add_call_command(CLI::App& app, int& exit_code);

}  // namespace sim::twilio
