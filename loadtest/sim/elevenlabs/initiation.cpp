#include "loadtest/sim/elevenlabs/initiation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;

bool holds(std::vector<std::string> const& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void reject(Initiation& out, std::string error_type, std::string message) {
  out.violations.push_back({error_type, message});
  if (!out.rejection) out.rejection = Rejection{1008, std::move(error_type), std::move(message)};
}

/// Every value set below `json`, with the path that leads to it: the unit of permission.
void collect(Json const& json, std::string const& path, std::vector<std::pair<std::string, Json const*>>& out) {
  if (!json.is_object()) {
    out.emplace_back(path, &json);
    return;
  }
  for (auto const& [key, value] : json.items()) collect(value, path.empty() ? key : path + "." + key, out);
}

std::set<std::string> known_overrides() {
  return {"agent.prompt.prompt",
          "agent.prompt.llm",
          "agent.prompt.tool_ids",
          "agent.prompt.knowledge_base",
          "agent.prompt.native_mcp_server_ids",
          "agent.first_message",
          "agent.language",
          "agent.max_conversation_duration_message",
          "agent.native_mcp_server_ids",
          "tts.voice_id",
          "tts.stability",
          "tts.similarity_boost",
          "tts.speed",
          "tts.model_id",
          "asr.keywords",
          "conversation.text_only",
          "conversation.max_duration_seconds",
          "conversation.client_events"};
}

void read_overrides(Json const& json, Agent const& agent, Initiation& out) {
  if (!json.is_object()) return reject(out, "invalid_message", "conversation_config_override must be an object");
  std::vector<std::pair<std::string, Json const*>> leaves;
  collect(json, "", leaves);
  for (auto const& [path, value] : leaves) {
    auto const field = path.substr(path.rfind('.') + 1);
    if (value->is_null()) {
      out.warnings.push_back({"null_override", path + " is null; leave out what is not overridden"});
      continue;
    }
    bool const soft_timeout = path.starts_with("turn.soft_timeout_config");
    if (!soft_timeout && !known_overrides().contains(path)) {
      out.violations.push_back({"unknown_override", path + " cannot be overridden per conversation"});
      continue;
    }
    if (!holds(agent.overrides, path)) {
      reject(out, "override_error", "Override for field '" + field + "' is not allowed by config.");
      continue;
    }
    if (path == "agent.first_message" && value->is_string()) out.first_message = value->get<std::string>();
    if (path == "agent.language" && value->is_string()) out.language = value->get<std::string>();
    if (path == "conversation.text_only" && value->is_boolean()) out.text_only = value->get<bool>();
  }
  if (out.language && *out.language != agent.language && !holds(agent.languages, *out.language))
    reject(out, "override_error", "Language '" + *out.language + "' is not supported by this agent.");
}

void read_variables(Json const& json, Initiation& out) {
  if (!json.is_object()) return reject(out, "invalid_message", "dynamic_variables must be an object");
  for (auto const& [name, value] : json.items()) {
    if (name.starts_with("system__"))
      reject(out, "value_error", "dynamic variable names must not start with system__: " + name);
    if (value.is_string())
      out.variables[name] = value.get<std::string>();
    else if (value.is_number() || value.is_boolean())
      out.variables[name] = value.dump();
    else
      reject(out, "value_error", "dynamic variable " + name + " must be a string, a number or true/false");
  }
}

void names_in(std::string_view text, std::set<std::string>& names) {
  for (auto open = text.find("{{"); open != std::string_view::npos; open = text.find("{{", open + 2)) {
    auto const shut = text.find("}}", open);
    if (shut == std::string_view::npos) return;
    names.emplace(text.substr(open + 2, shut - open - 2));
  }
}

/// Variables that come from the answers of the agent's own tools.
bool is_of_a_tool(std::string_view variable, Agent const& agent) {
  auto const names_it = [variable](ToolCall const& call) { return variable.starts_with(call.name + "."); };
  for (auto const& turn : agent.turns)
    for (auto const& step : turn.reply)
      if (auto const* tools = std::get_if<CallTools>(&step); tools && std::ranges::any_of(tools->calls, names_it))
        return true;
  return variable == "tool_result";
}

void check_variables(Agent const& agent, Initiation& out) {
  std::set<std::string> wanted{agent.required_variables.begin(), agent.required_variables.end()};
  if (out.first_message)
    names_in(*out.first_message, wanted);
  else if (agent.first_message)
    names_in(agent.first_message->text, wanted);
  for (auto const& turn : agent.turns)
    for (auto const& step : turn.reply)
      if (auto const* say = std::get_if<Say>(&step)) names_in(say->text, wanted);
  std::string missing;
  for (auto const& name : wanted) {
    if (out.variables.contains(name) || name.starts_with("system__") || is_of_a_tool(name, agent)) continue;
    if (!missing.empty()) missing += ", ";
    missing += "'" + name + "'";
  }
  if (!missing.empty())
    reject(out, "missing_dynamic_variable", "Missing required dynamic variables in first message: {" + missing + "}");
}

}  // namespace

Initiation read_initiation(std::string_view text, Agent const& agent) {
  Initiation out;
  out.variables = agent.placeholders;
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    reject(out, "invalid_message", "the client data is not a JSON object");
    return out;
  }
  static std::set<std::string> const known{"type",
                                           "conversation_config_override",
                                           "custom_llm_extra_body",
                                           "dynamic_variables",
                                           "user_id",
                                           "source_info",
                                           "environment",
                                           "branch_id",
                                           "starting_workflow_node_id",
                                           "procedure_ids",
                                           "tool_mock_config"};
  for (auto const& [key, value] : json.items()) {
    if (key == "conversation_initiation_client_data")
      out.violations.push_back({"nested_client_data", "the client data must be flat; what is nested is ignored"});
    else if (!known.contains(key))
      out.warnings.push_back({"unknown_field", "client data has an unknown field " + key});
  }
  auto const set = [&json](char const* key) {
    auto const it = json.find(key);
    return it == json.end() || it->is_null() ? nullptr : &*it;
  };
  if (auto const* overrides = set("conversation_config_override")) read_overrides(*overrides, agent, out);
  if (auto const* body = set("custom_llm_extra_body"); body && !body->empty() && !agent.custom_llm_extra_body)
    reject(out, "override_error", "Override for field 'custom_llm_extra_body' is not allowed by config.");
  if (auto const* variables = set("dynamic_variables")) read_variables(*variables, out);
  if (auto const* user = set("user_id")) {
    if (user->is_string())
      out.user_id = user->get<std::string>();
    else
      reject(out, "value_error", "user_id must be a string");
  }
  check_variables(agent, out);
  return out;
}

std::string fill_in(std::string text, std::map<std::string, std::string> const& variables) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto const open = text.find("{{", at);
    auto const shut = open == std::string::npos ? open : text.find("}}", open);
    if (shut == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    auto const name = text.substr(open + 2, shut - open - 2);
    auto const value = variables.find(name);
    out += value == variables.end() ? text.substr(open, shut + 2 - open) : value->second;
    at = shut + 2;
  }
  return out;
}

}  // namespace sim::elevenlabs
