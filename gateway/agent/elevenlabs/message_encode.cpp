#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "gateway/agent/elevenlabs/message.h"
#include "gateway/base/base64.h"
#include "gateway/base/log.h"

namespace gateway::elevenlabs {
namespace {

/// Writes the members of one object; the names are ours and need no escaping.
class Object {
 public:
  explicit Object(std::string& out) : out_{out} { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(Object const&) = delete;
  Object& operator=(Object const&) = delete;

  void name(std::string_view key) {
    separate();
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  void text(std::string_view key, std::string_view value) {
    name(key);
    base::append_json_string(out_, value);
  }
  void truth(std::string_view key, bool value) {
    name(key);
    out_ += value ? "true" : "false";
  }
  /// For names that come from outside.
  void foreign_name(std::string_view key) {
    separate();
    base::append_json_string(out_, key);
    out_ += ':';
  }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

struct AppendValue {
  std::string& out;
  void operator()(std::string const& text) const { base::append_json_string(out, text); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
  void operator()(double value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
};

bool can_be_sent(std::string_view name, DynamicValue const& value) {
  auto const* real = std::get_if<double>(&value);
  return !name.starts_with("system__") && (!real || std::isfinite(*real));
}

}  // namespace

void encode_initiation(std::string& out, AgentRequest const& request) {
  out.clear();
  Object message{out};
  message.text("type", "conversation_initiation_client_data");
  if (request.first_message || request.language) {
    message.name("conversation_config_override");
    Object overrides{out};
    overrides.name("agent");
    Object agent{out};
    if (request.first_message) agent.text("first_message", *request.first_message);
    if (request.language) agent.text("language", *request.language);
  }
  if (!request.dynamic_variables.empty()) {
    message.name("dynamic_variables");
    Object variables{out};
    for (auto const& [name, value] : request.dynamic_variables) {
      if (!can_be_sent(name, value)) continue;
      variables.foreign_name(name);
      std::visit(AppendValue{out}, value);
    }
  }
  if (request.user_id) message.text("user_id", *request.user_id);
}

void encode_audio(std::string& out, std::span<std::uint8_t const> bytes) {
  out = R"({"user_audio_chunk":")";
  base::append_base64(out, bytes);
  out += "\"}";
}

void encode_pong(std::string& out, std::int64_t event_id) {
  out.clear();
  fmt::format_to(std::back_inserter(out), R"({{"type":"pong","event_id":{}}})", event_id);
}

void encode_tool_result(std::string& out, std::string_view call_id, std::string_view result, bool is_error) {
  out.clear();
  Object message{out};
  message.text("type", "client_tool_result");
  message.text("tool_call_id", call_id);
  message.text("result", result);
  message.truth("is_error", is_error);
}

void encode_contextual_update(std::string& out, std::string_view topic, std::string_view text) {
  out.clear();
  Object message{out};
  message.text("type", "contextual_update");
  message.text("text", text);
  if (!topic.empty()) message.text("context_id", topic);
}

void encode_user_message(std::string& out, std::string_view text) {
  out.clear();
  Object message{out};
  message.text("type", "user_message");
  message.text("text", text);
}

void encode_key_press(std::string& out, std::string_view digits) {
  encode_user_message(out, fmt::format("I pressed {} on the keypad.", digits));
}

void encode_user_activity(std::string& out) {
  out = R"({"type":"user_activity"})";
}

void encode_mcp_approval(std::string& out, std::string_view call_id, bool is_approved) {
  out.clear();
  Object message{out};
  message.text("type", "mcp_tool_approval_result");
  message.text("tool_call_id", call_id);
  message.truth("is_approved", is_approved);
}

}  // namespace gateway::elevenlabs
