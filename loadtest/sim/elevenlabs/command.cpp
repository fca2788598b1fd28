#include "loadtest/sim/elevenlabs/command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "loadtest/sim/elevenlabs/sim.h"
#include "loadtest/sim/foreground.h"

namespace sim::elevenlabs {
namespace {

struct Arguments {
  std::uint16_t port = 0;
  std::string scenario;
  std::string certificate;
  std::string key;
  std::vector<std::string> api_keys;
  std::vector<std::string> misbehave;
  std::vector<std::string> fail;
  std::uint32_t seed = 1;
  bool json = false;
  bool show_words = false;
  bool keep_audio = false;
  bool quiet = false;
};

/// "name" or "name=value", for every agent.
void misbehave(Scenario& scenario, std::string const& setting) {
  auto const equals = setting.find('=');
  auto const name = setting.substr(0, equals);
  auto const value = equals == std::string::npos ? std::string{} : setting.substr(equals + 1);
  for (auto& agent : scenario.agents) {
    auto const set = set_behaviour(agent.behaviour, name, value);
    if (!set) throw WrongUsage{set.error().detail};
  }
}

/// "PATH=STATUS[:CODE[:SHAPE]]", for example get-signed-url=429:too_many_concurrent_requests:legacy.
RestFault read_fault(std::string const& text) {
  RestFault fault;
  auto const equals = text.rfind('=');
  if (equals == std::string::npos) throw WrongUsage{"--fail takes PATH=STATUS[:CODE[:SHAPE]]"};
  fault.path_contains = text.substr(0, equals);
  auto rest = text.substr(equals + 1);
  auto const next = [&rest] {
    auto const colon = rest.find(':');
    auto piece = rest.substr(0, colon);
    rest = colon == std::string::npos ? std::string{} : rest.substr(colon + 1);
    return piece;
  };
  auto const status = next();
  fault.status = static_cast<unsigned>(std::atoi(status.c_str()));
  if (fault.status < 200 || fault.status > 599) throw WrongUsage{"--fail: not an HTTP status: " + status};
  if (auto code = next(); !code.empty()) fault.code = code;
  using Shape = RestFault::Shape;
  static std::map<std::string, Shape> const shapes{{"current", Shape::current},
                                                   {"legacy", Shape::legacy},
                                                   {"list", Shape::list},
                                                   {"text", Shape::text},
                                                   {"absent", Shape::absent}};
  if (auto const shape = next(); !shape.empty()) {
    auto const known = shapes.find(shape);
    if (known == shapes.end()) throw WrongUsage{"--fail: the shape is one of current, legacy, list, text, absent"};
    fault.shape = known->second;
  }
  return fault;
}

void print(Event const& event, base::TimeSource const& time, Arguments const& arguments) {
  std::string line = arguments.json ? R"({"time":)" : "";
  auto const stamp = base::iso8601(time.wall());
  if (!arguments.json) {
    line += stamp + " " + event.conversation.id + " " + std::string{event.kind};
    if (!event.detail.empty()) line += " " + event.detail;
    if (arguments.show_words && !event.words.empty()) line += ": " + event.words;
    std::cout << line << std::endl;
    return;
  }
  base::append_json_string(line, stamp);
  auto const field = [&line](char const* name, std::string_view value) {
    line += std::string{",\""} + name + "\":";
    base::append_json_string(line, value);
  };
  field("conversation", event.conversation.id);
  field("agent", event.conversation.agent_id);
  field("event", event.kind);
  field("detail", event.detail);
  if (arguments.show_words) field("words", event.words);
  std::cout << line << "}" << std::endl;
}

int run(Arguments const& arguments) {
  ElevenLabsSim::Options options;
  if (!arguments.scenario.empty()) options.scenario = load_scenario(arguments.scenario);
  if (!arguments.api_keys.empty()) options.scenario.api_keys = arguments.api_keys;
  for (auto const& setting : arguments.misbehave) misbehave(options.scenario, setting);
  options.keep_audio = arguments.keep_audio;
  options.seed = arguments.seed;
  if (arguments.certificate.empty() != arguments.key.empty()) throw WrongUsage{"--tls-cert and --tls-key go together"};
  options.certificate = arguments.certificate;
  options.key = arguments.key;
  base::SystemTime time;
  if (!arguments.quiet) options.on_event = [&time, &arguments](Event const& event) { print(event, time, arguments); };
  asio::io_context io{1};
  ElevenLabsSim sim{io.get_executor(), time, std::move(options)};
  for (auto const& fault : arguments.fail) sim.fail_rest(read_fault(fault));
  sim.listen(arguments.port);
  auto const ready =
      arguments.json ? R"({"event":"ready","url":")" + sim.base_url() + "\"}" : "ready " + sim.base_url();
  serve_in_foreground(io, sim, ready);
  return 0;
}

std::string list_of_behaviours() {
  std::string out = "Names for --misbehave:";
  for (auto const& option : behaviour_options()) {
    out += "\n  " + std::string{option.name};
    if (!option.words.empty()) out += "=" + std::string{option.words};
  }
  return out;
}

}  // namespace

void add_elevenlabs_command(CLI::App& app, int& exit_code) {
  auto const arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("elevenlabs", "Simulated ElevenLabs agent platform: conversation sockets and REST");
  command->add_option("--port", arguments->port, "Port on 127.0.0.1; 0 takes a free one");
  command->add_option("--scenario", arguments->scenario, "JSON file of agents; without it one agent, agent_demo");
  command->add_option("--tls-cert", arguments->certificate, "PEM file: https and wss instead of http and ws");
  command->add_option("--tls-key", arguments->key, "PEM file of its key");
  command->add_option("--api-key", arguments->api_keys, "Accepted xi-api-key; without it any");
  command->add_option("--misbehave", arguments->misbehave, "NAME or NAME=VALUE, for all agents; may be repeated");
  command->add_option("--fail", arguments->fail, "PATH=STATUS[:CODE[:SHAPE]] for REST; may be repeated");
  command->add_option("--seed", arguments->seed, "Of the chunk sizes");
  command->add_flag("--json", arguments->json, "One JSON object a line");
  command->add_flag("--show-words", arguments->show_words, "Print what is said, too");
  command->add_flag("--keep-audio", arguments->keep_audio, "Keep all audio in memory");
  command->add_flag("--quiet", arguments->quiet, "Print no events");
  command->footer(list_of_behaviours());
  command->callback([arguments, &exit_code] { exit_code = exit_code_of([&] { return run(*arguments); }); });
}

}  // namespace sim::elevenlabs
