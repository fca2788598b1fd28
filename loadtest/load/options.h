#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sim::load {

/// What the calls do once they stand.
enum class Scenario {
  talk,          ///< Both sides speak all the time, in real time.
  turns,         ///< The agent answers in bursts faster than real time, the caller speaks between them.
  barge_in,      ///< As turns; half of the agent's turns are interrupted.
  hangup_storm,  ///< All hang up within a second and as many call again at once.
  slow_agent,    ///< As talk; agents come up half a second late.
  churn,         ///< Calls of three seconds, new ones at the ramp's rate all the time.
};

std::string_view to_string(Scenario scenario);
std::optional<Scenario> scenario_from(std::string_view text);

struct Options {
  std::string target;       ///< Base URL of a running gateway, "http://127.0.0.1:3000"; empty with `switchboard`.
  std::string switchboard;  ///< The gateway's program, to be started and stopped by us.
  std::size_t calls = 100;
  double ramp = 50;                         ///< New calls a second.
  std::chrono::milliseconds settle{2000};   ///< Between the ramp and the measured window.
  std::chrono::milliseconds window{60000};  ///< What is measured.
  Scenario scenario = Scenario::talk;
  bool tls = false;        ///< Both legs.
  bool pcm = false;        ///< The agent speaks and hears pcm_16000, so that the gateway must transcode.
  bool recording = false;  ///< Of a gateway that we start: it records every call.

  // Whose CPU and memory is measured.
  std::optional<int> pid;          ///< Of a running gateway; ours is known when we start it.
  std::optional<int> pin;          ///< CPU of this program (and of the gateway's PostgreSQL).
  std::optional<int> pin_gateway;  ///< CPU of a gateway that we start.

  // How we and a running gateway know each other. A gateway that we start is told.
  std::string account_sid;
  std::string auth_token;
  std::string number = "+15550001111";  ///< The number that is dialled.
  std::uint16_t port = 0;               ///< Where we answer as ElevenLabs and as Twilio's REST; 0 takes a free one.
  std::string health_url;               ///< Of the gateway's ops listener, "http://127.0.0.1:9464"; may be empty.
  std::string data;                     ///< Folder for a gateway that we start; empty: a temporary one.
};

/// Where a run is, once a second.
struct Stage {
  std::string_view name;  ///< "starting", "ramp", "settle", "measuring", "hanging up".
  double seconds = 0;     ///< Since the first call.
  double of = 0;          ///< How long the stage is expected to last; 0: unknown.
  std::size_t calls_up = 0;
  std::uint64_t frames_lost = 0;
  double caller_to_agent_p99_ms = 0;  ///< Of the last second.
  double agent_to_caller_p99_ms = 0;
  double gateway_cpu_percent = 0;  ///< Of one core, last second; 0 when unknown.
  double own_cpu_percent = 0;
};

/// Called on the thread of the run. Must be quick: the calls wait.
using Progress = std::function<void(Stage const&)>;

struct Figures;  // loadtest/load/figures.h

/// One load test from the first webhook to the last hang-up. Blocking; one thread. Throws std::runtime_error with a
/// sentence when it cannot begin. When the generator itself was the bottleneck, the figures say so and carry no
/// latency.
Figures run(Options const& options, Progress const& progress);

/// The same with every figure left in, whatever it is worth.
Figures measure(Options const& options, Progress const& progress);

}  // namespace sim::load
