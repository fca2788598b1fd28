#include "loadtest/sim/elevenlabs/server_message.h"

#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"

namespace sim::elevenlabs {
namespace {

using Json = nlohmann::json;

Json to_json(EventId id) {
  return id.as_text ? Json(std::to_string(id.value)) : Json(id.value);
}

std::string event(char const* type, char const* field, Json body) {
  return Json{{"type", type}, {field, std::move(body)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse_object(std::string const& text) {
  auto json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

/// Bytes of the UTF-8 character that begins with `lead`.
std::size_t character_bytes(unsigned char lead) {
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  return lead >= 0xC0 ? 2 : 1;
}

Json alignment_of(ChunkPosition const& at) {
  Json chars = Json::array();
  Json starts = Json::array();
  Json lengths = Json::array();
  std::size_t count = 0;
  for (std::size_t i = 0; i < at.text.size(); i += character_bytes(static_cast<unsigned char>(at.text[i]))) ++count;
  auto const end = at.start + at.length;
  std::int64_t index = 0;
  for (std::size_t i = 0; i < at.text.size(); ++index) {
    auto const bytes = character_bytes(static_cast<unsigned char>(at.text[i]));
    auto const from = at.total.count() * index / static_cast<std::int64_t>(count);
    auto const to = at.total.count() * (index + 1) / static_cast<std::int64_t>(count);
    if (from >= at.start.count() && from < end.count()) {
      chars.push_back(at.text.substr(i, bytes));
      starts.push_back(from - at.start.count());
      lengths.push_back(to - from);
    }
    i += bytes;
  }
  return {{"chars", chars}, {"char_start_times_ms", starts}, {"char_durations_ms", lengths}};
}

}  // namespace

std::string metadata_message(std::string_view conversation_id, std::string_view output_format,
                             std::string_view input_format) {
  return event("conversation_initiation_metadata", "conversation_initiation_metadata_event",
               {{"conversation_id", conversation_id},
                {"agent_output_audio_format", output_format},
                {"user_input_audio_format", input_format}});
}

std::string ping_message(std::int64_t id, std::optional<std::int64_t> ping_ms) {
  return event("ping", "ping_event", {{"event_id", id}, {"ping_ms", ping_ms ? Json(*ping_ms) : Json(nullptr)}});
}

std::string audio_message(std::span<std::uint8_t const> audio, EventId id, std::string_view alignment,
                          ChunkPosition const& position, std::size_t pad_to) {
  std::string out = R"({"type":"audio","audio_event":{"audio_base_64":")";
  base::append_base64(out, audio);
  out += R"(","event_id":)";
  out += to_json(id).dump();
  if (alignment == "given")
    out += R"(,"alignment":)" + alignment_of(position).dump(-1, ' ', false, Json::error_handler_t::replace);
  if (alignment == "empty") out += R"(,"alignment":{})";
  if (alignment == "partial") out += R"(,"alignment":{"chars":["a"]})";
  constexpr std::string_view padding = R"(,"padding":")";
  if (out.size() + padding.size() + 3 < pad_to) {
    out += padding;
    out.append(pad_to - out.size() - 3, 'x');
    out += '"';
  }
  return out + "}}";
}

std::string garbage_audio_message(EventId id) {
  return event("audio", "audio_event", {{"audio_base_64", "%%% this is not base64 %%%"}, {"event_id", to_json(id)}});
}

std::string agent_response_message(std::string_view text, EventId id) {
  return event("agent_response", "agent_response_event", {{"agent_response", text}, {"event_id", to_json(id)}});
}

std::string correction_message(std::string_view original, std::string_view corrected, std::optional<EventId> id) {
  Json body{{"original_agent_response", original}, {"corrected_agent_response", corrected}};
  if (id) body["event_id"] = to_json(*id);
  return event("agent_response_correction", "agent_response_correction_event", std::move(body));
}

std::string complete_message(EventId id) {
  return event("agent_response_complete", "agent_response_complete_event", {{"event_id", to_json(id)}});
}

std::string user_transcript_message(std::string_view text, EventId id) {
  return event("user_transcript", "user_transcription_event", {{"user_transcript", text}, {"event_id", to_json(id)}});
}

std::string interruption_message(EventId id) {
  return event("interruption", "interruption_event", {{"event_id", to_json(id)}});
}

std::string tool_call_message(ToolCall const& call, std::string_view call_id, EventId id) {
  Json body{{"tool_name", call.name},
            {"tool_call_id", call_id},
            {"parameters", parse_object(call.parameters)},
            {"event_id", to_json(id)}};
  if (call.expects_response) body["expects_response"] = *call.expects_response;
  return event("client_tool_call", "client_tool_call", std::move(body));
}

std::string mcp_call_message(CallMcpTool const& call, std::string_view call_id, std::string_view state,
                             std::string_view timestamp) {
  Json body{{"service_id", "sim"},
            {"tool_call_id", call_id},
            {"tool_name", call.name},
            {"tool_description", "a simulated tool"},
            {"parameters", parse_object(call.parameters)},
            {"timestamp", timestamp},
            {"state", state}};
  if (state == "awaiting_approval") body["approval_timeout_secs"] = call.approval_timeout.count() / 1000;
  if (state == "success") body["result"] = Json::array({{{"type", "text"}, {"text", "ok"}}});
  if (state == "failure") body["error_message"] = "not approved";
  return event("mcp_tool_call", "mcp_tool_call", std::move(body));
}

std::string end_call_message(std::string_view call_id, EventId id) {
  return event("agent_tool_response", "agent_tool_response",
               {{"tool_name", "end_call"},
                {"tool_call_id", call_id},
                {"tool_type", "system"},
                {"is_error", false},
                {"is_called", true},
                {"event_id", to_json(id)}});
}

std::string queue_message(std::string_view status) {
  return event("queue_status", "queue_status_event", {{"status", status}});
}

std::string error_message(std::string_view shape, std::uint16_t code, std::string_view error_type,
                          std::string_view message) {
  if (shape == "contract")
    return event("error", "error_event",
                 {{"code", code}, {"message", message}, {"error_type", error_type}, {"reason", message}});
  if (shape == "client_error")
    return event("client_error", "error_event", {{"code", code}, {"message", message}, {"error_name", error_type}});
  if (shape == "flat") {
    auto const received = "received " + std::to_string(code) + " (protocol error) " + std::string{message};
    auto const sent = "then sent " + std::to_string(code) + " (protocol error) " + std::string{message};
    return Json{{"type", "error"}, {"message", received + "; " + sent}}.dump();
  }
  if (shape == "bare") return R"({"type":"error"})";
  return {};
}

}  // namespace sim::elevenlabs
