#include "loadtest/sim/elevenlabs/scenario.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "media/format.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;

/// Carries where we are in the file; thrown inside this file only and turned into a Result at its edge.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One JSON object, each key of which must be asked for.
class Section {
 public:
  Section(Json const& json, std::string where) : json_{json}, where_{std::move(where)} {
    if (!json.is_object()) throw Wrong{where_ + " must be an object"};
  }

  template <class T>
  void read(char const* key, T& out) {
    if (auto const* value = find(key)) out = get<T>(*value, key);
  }
  void read(char const* key, Milliseconds& out) {
    if (auto const* value = find(key)) out = Milliseconds{get<std::int64_t>(*value, key)};
  }
  Json const* find(char const* key) {
    known_.emplace_back(key);
    auto const it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }
  std::string at(std::string_view key) const { return where_ + "." + std::string{key}; }
  void refuse_unknown() const {
    for (auto const& [key, value] : json_.items())
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) throw Wrong{at(key) + " is not a known key"};
  }

 private:
  template <class T>
  T get(Json const& value, char const* key) const {
    try {
      return value.get<T>();
    } catch (Json::exception const&) {
      throw Wrong{at(key) + " has the wrong type"};
    }
  }

  Json const& json_;
  std::string where_;
  std::vector<std::string> known_;
};

template <class T, class Read>
void read_list(Section& section, char const* key, std::vector<T>& out, Read read) {
  auto const* list = section.find(key);
  if (!list) return;
  if (!list->is_array()) throw Wrong{section.at(key) + " must be a list"};
  for (std::size_t i = 0; i < list->size(); ++i)
    out.push_back(read((*list)[i], section.at(key) + "[" + std::to_string(i) + "]"));
}

AudioSource read_audio(Json const& json, std::string const& where) {
  AudioSource audio;
  if (json.is_string()) {
    auto const word = json.get<std::string>();
    if (word == "voice")
      audio.kind = AudioSource::Kind::voice;
    else if (word == "tone")
      audio.kind = AudioSource::Kind::tone;
    else if (word == "silence")
      audio.kind = AudioSource::Kind::silence;
    else if (word.ends_with(".wav"))
      audio = {AudioSource::Kind::wav, word, {}};
    else
      throw Wrong{where + " must be voice, tone, silence or a .wav file"};
    return audio;
  }
  Section section{json, where};
  std::string kind = "voice";
  section.read("kind", kind);
  audio = read_audio(Json(kind), section.at("kind"));
  section.read("ms", audio.length);
  section.refuse_unknown();
  return audio;
}

Say read_say(Json const& json, std::string const& where) {
  if (json.is_string()) return Say{json.get<std::string>(), {}};
  Section section{json, where};
  Say say;
  section.read("say", say.text);
  if (auto const* audio = section.find("audio")) say.audio = read_audio(*audio, section.at("audio"));
  section.refuse_unknown();
  return say;
}

ToolCall read_tool(Json const& json, std::string const& where) {
  Section section{json, where};
  ToolCall call;
  section.read("tool", call.name);
  if (auto const* parameters = section.find("parameters")) call.parameters = parameters->dump();
  if (auto const* expects = section.find("expects_response")) {
    if (expects->is_null())
      call.expects_response.reset();
    else
      call.expects_response = expects->get<bool>();
  }
  section.read("timeout_ms", call.timeout);
  if (auto const* say = section.find("on_error")) call.on_error = read_say(*say, section.at("on_error"));
  if (auto const* say = section.find("on_timeout")) call.on_timeout = read_say(*say, section.at("on_timeout"));
  section.refuse_unknown();
  return call;
}

CloseWith read_close(Json const& json, std::string const& where) {
  Section section{json, where};
  CloseWith close;
  section.read("code", close.code);
  section.read("reason", close.reason);
  section.read("error_type", close.error_type);
  section.read("shape", close.shape);
  section.refuse_unknown();
  return close;
}

Step read_step(Json const& json, std::string const& where) {
  if (json.is_string() || (json.is_object() && json.contains("say"))) return read_say(json, where);
  if (!json.is_object()) throw Wrong{where + " must be a text or an object"};
  if (json.contains("tool")) return CallTools{{read_tool(json, where)}};
  Section section{json, where};
  std::optional<Step> step;
  if (section.find("tools")) {
    CallTools tools;
    read_list(section, "tools", tools.calls, read_tool);
    step = tools;
  } else if (section.find("mcp_tool")) {
    CallMcpTool call;
    section.read("mcp_tool", call.name);
    if (auto const* parameters = section.find("parameters")) call.parameters = parameters->dump();
    section.read("approval_timeout_ms", call.approval_timeout);
    step = call;
  } else if (section.find("pause_ms")) {
    Pause pause;
    section.read("pause_ms", pause.length);
    step = pause;
  } else if (auto const* end = section.find("end_call")) {
    step = EndCall{end->is_string() ? end->get<std::string>() : "done"};
  } else if (auto const* close = section.find("close")) {
    step = read_close(*close, section.at("close"));
  } else if (section.find("drop")) {
    step = Drop{};
  } else if (auto const* raw = section.find("send")) {
    step = SendRaw{raw->is_string() ? raw->get<std::string>() : raw->dump()};
  } else if (section.find("send_binary")) {
    SendBinary binary;
    section.read("send_binary", binary.bytes);
    step = binary;
  } else {
    throw Wrong{where + " is not a known step"};
  }
  section.refuse_unknown();
  return *std::move(step);
}

Turn read_turn(Json const& json, std::string const& where) {
  Section section{json, where};
  Turn turn;
  std::string when = "any";
  section.read("when", when);
  if (when == "any")
    turn.when = Turn::When::any;
  else if (when == "speech")
    turn.when = Turn::When::speech;
  else if (when == "message")
    turn.when = Turn::When::message;
  else if (when == "dtmf")
    turn.when = Turn::When::dtmf;
  else
    throw Wrong{section.at("when") + " must be any, speech, message or dtmf"};
  section.read("contains", turn.contains);
  section.read("heard", turn.heard);
  section.read("repeat", turn.repeat);
  section.read("at_once", turn.at_once);
  read_list(section, "reply", turn.reply, read_step);
  section.refuse_unknown();
  return turn;
}

void read_behaviour(Json const& json, std::string const& where, Behaviour& behaviour) {
  if (!json.is_object()) throw Wrong{where + " must be an object"};
  for (auto const& [name, value] : json.items()) {
    auto const text = value.is_string() ? value.get<std::string>() : value.dump();
    auto const set = set_behaviour(behaviour, name, text);
    if (!set) throw Wrong{where + ": " + set.error().detail};
  }
}

void check_format(std::string const& name, std::string const& where) {
  if (name.empty()) return;
  auto const format = media::parse_format(name);
  if (!format) throw Wrong{where + ": " + format.error().detail};
}

Agent read_agent(Json const& json, std::string const& where) {
  Section section{json, where};
  Agent agent;
  section.read("id", agent.id);
  if (agent.id.empty()) throw Wrong{section.at("id") + " is missing"};
  agent.name = agent.id;
  agent.client_events = default_client_events();
  section.read("name", agent.name);
  section.read("auth", agent.auth);
  section.read("output_format", agent.output_format);
  section.read("input_format", agent.input_format);
  section.read("signed_output_format", agent.signed_output_format);
  section.read("signed_input_format", agent.signed_input_format);
  for (auto const& name :
       {agent.output_format, agent.input_format, agent.signed_output_format, agent.signed_input_format})
    check_format(name, where);
  section.read("language", agent.language);
  section.read("languages", agent.languages);
  section.read("overrides", agent.overrides);
  section.read("custom_llm_extra_body", agent.custom_llm_extra_body);
  section.read("required_variables", agent.required_variables);
  section.read("placeholders", agent.placeholders);
  section.read("client_events", agent.client_events);
  if (auto const* say = section.find("first_message"))
    agent.first_message = read_say(*say, section.at("first_message"));
  read_list(section, "turns", agent.turns, read_turn);
  if (auto const* say = section.find("otherwise")) agent.otherwise = read_say(*say, section.at("otherwise"));
  if (auto const* say = section.find("still_there")) agent.still_there = read_say(*say, section.at("still_there"));
  if (auto const* behaviour = section.find("behaviour"))
    read_behaviour(*behaviour, section.at("behaviour"), agent.behaviour);
  section.refuse_unknown();
  return agent;
}

Scenario read_scenario(Json const& json) {
  Section section{json, "scenario"};
  Scenario scenario;
  section.read("api_keys", scenario.api_keys);
  section.read("processing_ms", scenario.processing);
  section.read("tier", scenario.tier);
  read_list(section, "agents", scenario.agents, read_agent);
  section.refuse_unknown();
  if (scenario.agents.empty()) throw Wrong{"scenario.agents is empty"};
  return scenario;
}

}  // namespace

std::vector<std::string> default_client_events() {
  return {"conversation_initiation_metadata",
          "ping",
          "audio",
          "interruption",
          "user_transcript",
          "agent_response",
          "agent_response_correction",
          "agent_response_complete",
          "client_tool_call",
          "agent_tool_response",
          "mcp_tool_call",
          "client_error",
          "guardrail_triggered"};
}

Agent const* Scenario::find(std::string_view agent_id) const {
  for (auto const& agent : agents)
    if (agent.id == agent_id) return &agent;
  return nullptr;
}

base::Result<Scenario> parse_scenario(std::string_view text) {
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false, /*ignore_comments=*/true);
  if (json.is_discarded()) return base::fail(base::Fault::protocol, "scenario is not JSON");
  try {
    return read_scenario(json);
  } catch (std::exception const& wrong) {
    return base::fail(base::Fault::protocol, wrong.what());
  }
}

Scenario load_scenario(std::filesystem::path const& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) throw std::runtime_error{"cannot read scenario " + file.string()};
  std::string const text{std::istreambuf_iterator<char>{in}, {}};
  auto scenario = parse_scenario(text);
  if (!scenario) throw std::runtime_error{file.string() + ": " + scenario.error().detail};
  scenario->folder = file.parent_path();
  return *std::move(scenario);
}

Scenario demo_scenario() {
  Agent agent;
  agent.id = "agent_demo";
  agent.name = "Demo";
  agent.client_events = default_client_events();
  agent.first_message = Say{"Hello, this is the simulated agent. How can I help you?", {}};
  agent.otherwise = Say{"Thank you, I have understood that. What else can I do for you?", {}};
  Scenario scenario;
  scenario.agents.push_back(std::move(agent));
  return scenario;
}

}  // namespace sim::elevenlabs
