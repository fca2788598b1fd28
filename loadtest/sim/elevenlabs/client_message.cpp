#include "loadtest/sim/elevenlabs/client_message.h"

#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;
using Decoded = std::expected<FromClient, BadMessage>;

std::unexpected<BadMessage> bad(std::string kind, std::string detail) {
  return std::unexpected{BadMessage{std::move(kind), std::move(detail)}};
}

Decoded audio(std::string_view text) {
  UserAudio audio;
  audio.bytes.resize(base::base64_decoded_bound(text.size()));
  auto const length = base::decode_base64(text, audio.bytes);
  if (!length) return bad("bad_base64", "user_audio_chunk: " + length.error().detail);
  audio.bytes.resize(*length);
  return audio;
}

struct Fields {
  Json const& json;
  std::string type;
  std::string missing;

  std::string text(char const* key) {
    auto const it = json.find(key);
    if (it != json.end() && it->is_string()) return it->get<std::string>();
    missing = type + "." + key + " must be a string";
    return {};
  }
  std::string optional_text(char const* key) {
    auto const it = json.find(key);
    if (it == json.end() || it->is_null()) return {};
    return text(key);
  }
  std::int64_t number(char const* key) {
    auto const it = json.find(key);
    if (it != json.end() && it->is_number_integer()) return it->get<std::int64_t>();
    missing = type + "." + key + " must be an integer";
    return 0;
  }
  bool flag(char const* key) {
    auto const it = json.find(key);
    if (it != json.end() && it->is_boolean()) return it->get<bool>();
    missing = type + "." + key + " must be true or false";
    return false;
  }
};

}  // namespace

std::expected<FromClient, BadMessage> decode_client_message(std::string_view text) {
  // Fifty of these arrive each second from each call; the strict base64 reader refuses anything that is not this shape.
  constexpr std::string_view head = R"({"user_audio_chunk":")";
  constexpr std::string_view tail = R"("})";
  if (text.starts_with(head) && text.ends_with(tail) && text.size() >= head.size() + tail.size()) {
    auto fast = audio(text.substr(head.size(), text.size() - head.size() - tail.size()));
    if (fast) return fast;
  }
  auto const json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad("not_json", "the message is not a JSON object");
  if (auto const chunk = json.find("user_audio_chunk"); chunk != json.end()) {
    if (!chunk->is_string()) return bad("missing_fields", "user_audio_chunk must be a string");
    return audio(chunk->get_ref<std::string const&>());
  }
  auto const type = json.find("type");
  if (type == json.end() || !type->is_string()) return bad("unknown_type", "the message has no type");
  Fields fields{json, type->get<std::string>(), {}};
  FromClient message;
  auto const& name = fields.type;
  if (name == "conversation_initiation_client_data")
    message = ClientData{std::string{text}};
  else if (name == "pong")
    message = Pong{fields.number("event_id")};
  else if (name == "client_tool_result")
    message = ToolResult{fields.text("tool_call_id"), fields.text("result"), fields.flag("is_error")};
  else if (name == "contextual_update")
    message = ContextualUpdate{fields.text("text"), fields.optional_text("context_id")};
  else if (name == "user_message")
    message = UserMessage{fields.optional_text("text")};
  else if (name == "user_activity")
    message = UserActivity{};
  else if (name == "feedback")
    message = Feedback{fields.number("event_id"), fields.optional_text("score")};
  else if (name == "mcp_tool_approval_result")
    message = McpApproval{fields.text("tool_call_id"), fields.flag("is_approved")};
  else if (name == "multimodal_message") {
    auto const part = json.find("text");
    bool const has_text = part != json.end() && part->is_object();
    message = UserMessage{has_text ? part->value("text", std::string{}) : std::string{}};
  } else {
    return bad("unknown_type", "the client sent type '" + name + "', which the contract does not know");
  }
  if (!fields.missing.empty()) return bad("missing_fields", fields.missing);
  return message;
}

}  // namespace sim::elevenlabs
