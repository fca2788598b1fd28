#include "gateway/agent/elevenlabs/message.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"

namespace gateway::elevenlabs {
namespace {

using Json = nlohmann::json;
using Read = base::Result<Incoming>;

std::unexpected<base::Error> unreadable(std::string_view what) {
  return base::fail(base::Fault::protocol, "agent message: " + std::string{what});
}

// ---- lenient looks into JSON ---------------------------------------------------------------------------------------

Json const* member(Json const& object, char const* key) {
  if (!object.is_object()) return nullptr;
  auto const found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Json const* object_member(Json const& object, char const* key) {
  auto const* value = member(object, key);
  return value && value->is_object() ? value : nullptr;
}

std::optional<std::string> text_in(Json const& object, char const* key) {
  auto const* value = member(object, key);
  if (!value || !value->is_string()) return std::nullopt;
  return value->get_ref<std::string const&>();
}

std::string text_or_empty(Json const& object, char const* key) {
  return text_in(object, key).value_or(std::string{});
}

bool truth_in(Json const& object, char const* key, bool otherwise) {
  auto const* value = member(object, key);
  return value && value->is_boolean() ? value->get<bool>() : otherwise;
}

/// Official clients run ids through int() or parseInt(), so a numeric text counts; 7.0 is a way to write 7.
std::optional<std::int64_t> whole_in(Json const& object, char const* key) {
  auto const* value = member(object, key);
  if (!value) return std::nullopt;
  if (value->is_number_unsigned()) {
    auto const number = value->get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (value->is_number_float()) {
    auto const number = value->get<double>();
    bool const is_whole = std::abs(number) < 9.0e15 && number == std::floor(number);
    return is_whole ? std::optional{static_cast<std::int64_t>(number)} : std::nullopt;
  }
  if (!value->is_string()) return std::nullopt;
  auto const& text = value->get_ref<std::string const&>();
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string trimmed(std::string text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto const first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return {};
  text.erase(text.find_last_not_of(blanks) + 1);
  text.erase(0, first);
  return text;
}

// ---- one reader a message type -------------------------------------------------------------------------------------

Read read_metadata(Json const& json) {
  auto const* event = object_member(json, "conversation_initiation_metadata_event");
  if (!event) return unreadable("metadata without event");
  return Metadata{text_or_empty(*event, "conversation_id"), text_in(*event, "agent_output_audio_format"),
                  text_in(*event, "user_input_audio_format")};
}

Read read_ping(Json const& json) {
  auto const* event = object_member(json, "ping_event");
  if (!event) return unreadable("ping without event");
  return Ping{whole_in(*event, "event_id"), whole_in(*event, "ping_ms")};
}

std::optional<SpokenAlignment> read_alignment(Json const& event) {
  auto const* alignment = object_member(event, "alignment");
  if (!alignment) return std::nullopt;
  auto const* characters = member(*alignment, "chars");
  auto const* starts = member(*alignment, "char_start_times_ms");
  auto const* durations = member(*alignment, "char_durations_ms");
  bool const complete = characters && starts && durations && characters->is_array() && starts->is_array() &&
                        durations->is_array() && characters->size() == starts->size() &&
                        characters->size() == durations->size() && !characters->empty();
  if (!complete) return std::nullopt;
  SpokenAlignment spoken;
  spoken.characters.reserve(characters->size());
  spoken.starts_ms.reserve(starts->size());
  for (std::size_t i = 0; i < characters->size(); ++i) {
    auto const& character = (*characters)[i];
    auto const& start = (*starts)[i];
    if (!character.is_string() || !start.is_number()) return std::nullopt;
    constexpr double latest = std::numeric_limits<std::int32_t>::max();
    spoken.characters.push_back(character.get_ref<std::string const&>());
    spoken.starts_ms.push_back(static_cast<std::int32_t>(std::clamp(start.get<double>(), 0.0, latest)));
  }
  return spoken;
}

Read read_audio(Json const& json, std::string_view base64, std::vector<std::uint8_t>& buffer) {
  auto const bound = base::base64_decoded_bound(base64.size());
  if (buffer.size() < bound) buffer.resize(bound);
  auto const size = base::decode_base64(base64, buffer);
  if (!size) return unreadable("audio is not base64");
  auto const& event = json["audio_event"];
  return Audio{whole_in(event, "event_id"), std::span{buffer}.first(*size), read_alignment(event)};
}

Read read_agent_response(Json const& json) {
  auto const* event = object_member(json, "agent_response_event");
  if (!event) return unreadable("agent response without event");
  return AgentResponse{whole_in(*event, "event_id"), trimmed(text_or_empty(*event, "agent_response"))};
}

Read read_correction(Json const& json) {
  auto const* event = object_member(json, "agent_response_correction_event");
  if (!event) return unreadable("correction without event");
  return Correction{whole_in(*event, "event_id"), trimmed(text_or_empty(*event, "original_agent_response")),
                    trimmed(text_or_empty(*event, "corrected_agent_response"))};
}

EventId event_id_of(Json const& json, char const* event_key) {
  auto const* event = object_member(json, event_key);
  return event ? whole_in(*event, "event_id") : std::nullopt;
}

Read read_complete(Json const& json) {
  return Complete{event_id_of(json, "agent_response_complete_event")};
}
/// Never unreadable: the caller must not be talked over because a field is missing.
Read read_interruption(Json const& json) {
  return Interruption{event_id_of(json, "interruption_event")};
}

Read read_transcript(Json const& json) {
  auto const* event = object_member(json, "user_transcription_event");
  if (!event) return unreadable("transcript without event");
  return UserTranscript{whole_in(*event, "event_id"), trimmed(text_or_empty(*event, "user_transcript"))};
}

Read read_tentative(Json const& json) {
  auto const* event = object_member(json, "tentative_user_transcription_event");
  if (!event) return unreadable("tentative transcript without event");
  return TentativeUserTranscript{whole_in(*event, "event_id"), trimmed(text_or_empty(*event, "user_transcript"))};
}

/// The id is taken from the call itself, never from its parameters, where a key of that name may exist too.
Read read_client_tool_call(Json const& json) {
  auto const* event = object_member(json, "client_tool_call");
  if (!event) return unreadable("tool call without payload");
  auto id = text_in(*event, "tool_call_id");
  if (!id || id->empty()) return unreadable("tool call without id");
  auto const* parameters = object_member(*event, "parameters");
  ToolCall call;
  call.id = std::move(*id);
  call.name = text_or_empty(*event, "tool_name");
  call.parameters_json = parameters ? parameters->dump(-1, ' ', false, Json::error_handler_t::replace) : "{}";
  call.event_id = whole_in(*event, "event_id").value_or(0);
  call.expects_response = truth_in(*event, "expects_response", true);
  return ClientToolCall{std::move(call)};
}

Read read_tool_response(Json const& json) {
  auto const* event = object_member(json, "agent_tool_response");
  if (!event) return unreadable("tool response without payload");
  return AgentToolResponse{text_or_empty(*event, "tool_name"), text_or_empty(*event, "tool_call_id"),
                           truth_in(*event, "is_error", false), truth_in(*event, "is_called", true)};
}

Read read_mcp_tool_call(Json const& json) {
  auto const* event = object_member(json, "mcp_tool_call");
  if (!event) return unreadable("MCP call without payload");
  return McpToolCall{text_or_empty(*event, "tool_call_id"), text_or_empty(*event, "state")};
}

Read read_queue_status(Json const& json) {
  auto const* event = object_member(json, "queue_status_event");
  auto const status = event ? text_or_empty(*event, "status") : std::string{};
  if (status == "waiting") return QueueStatus{QueueStatus::Status::waiting};
  if (status == "admitted") return QueueStatus{QueueStatus::Status::admitted};
  if (status == "timed_out") return QueueStatus{QueueStatus::Status::timed_out};
  return QueueStatus{QueueStatus::Status::other};
}

/// Three shapes and a bare one exist: nested with error_type, nested with error_name, flat with only a message,
/// nothing.
Read read_error(Json const& json) {
  auto const* nested = object_member(json, "error_event");
  auto const& event = nested ? *nested : json;
  ErrorEvent error;
  if (auto const code = whole_in(event, "code"); code && *code >= 0 && *code < 65536)
    error.code = static_cast<int>(*code);
  error.type = text_in(event, "error_type").value_or(text_or_empty(event, "error_name"));
  error.message = text_in(event, "message").value_or(text_or_empty(event, "reason"));
  return error;
}

Read read_vad_score(Json const& json) {
  auto const* event = object_member(json, "vad_score_event");
  auto const* score = event ? member(*event, "vad_score") : nullptr;
  if (!score || !score->is_number()) return unreadable("vad score without number");
  return VadScore{score->get<double>()};
}

Read read_guardrail(Json const&) {
  return GuardrailTriggered{};
}

struct Reader {
  std::string_view type;
  Read (*read)(Json const&);
};
constexpr Reader readers[] = {
    {"ping", read_ping},
    {"agent_response", read_agent_response},
    {"user_transcript", read_transcript},
    {"tentative_user_transcript", read_tentative},
    {"interruption", read_interruption},
    {"agent_response_correction", read_correction},
    {"agent_response_complete", read_complete},
    {"vad_score", read_vad_score},
    {"client_tool_call", read_client_tool_call},
    {"agent_tool_response", read_tool_response},
    {"conversation_initiation_metadata", read_metadata},
    {"mcp_tool_call", read_mcp_tool_call},
    {"queue_status", read_queue_status},
    {"error", read_error},
    {"client_error", read_error},
    {"guardrail_triggered", read_guardrail},
};

constexpr std::string_view ignored_types[] = {"agent_response_metadata",
                                              "agent_tool_request",
                                              "agent_tool_response_full_payload",
                                              "mcp_connection_status",
                                              "asr_initiation_metadata",
                                              "internal_tentative_agent_response",
                                              "internal_turn_probability",
                                              "agent_chat_response_part",
                                              "agent_reasoning_response_part",
                                              "context_usage",
                                              "agent_typing",
                                              "external_agent_connected",
                                              "external_agent_disconnected",
                                              "rich_content",
                                              "dtmf_request",
                                              "contextual_update"};

Read read_message(Json const& json, std::string type) {
  auto const reader = std::ranges::find(readers, std::string_view{type}, &Reader::type);
  if (reader != std::end(readers)) return reader->read(json);
  if (std::ranges::find(ignored_types, std::string_view{type}) != std::end(ignored_types))
    return Ignored{std::move(type)};
  return Unknown{std::move(type)};
}

// ---- the way in ----------------------------------------------------------------------------------------------------

/// Counts brackets outside of strings. Bounds the work of the parser before it starts.
bool is_nested_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
      continue;
    }
    if (c == '"')
      in_string = true;
    else if (c == '{' || c == '[')
      depth += 1;
    else if ((c == '}' || c == ']') && depth > 0)
      depth -= 1;
    if (depth > max_nesting) return true;
  }
  return false;
}

/// A message in two parts: the long base64 text, and the short rest with a placeholder in its stead.
struct Carved {
  std::string rest;
  std::string_view base64;
};
constexpr std::string_view placeholder = "*";  // no base64 text

/// The placeholder must be recognisable after parsing, so no other string of the message may be the same one.
bool has_placeholder_once(std::string_view rest) {
  constexpr std::string_view quoted = "\"*\"";
  auto const found = rest.find(quoted);
  return rest.find(quoted, found + 1) == std::string_view::npos && rest.find("\\u002a") == std::string_view::npos &&
         rest.find("\\u002A") == std::string_view::npos;
}

/// Spares the JSON parser the megabyte that needs no parsing. Gives up on anything unusual; the caller then parses all.
std::optional<Carved> carve_audio(std::string_view text) {
  constexpr std::string_view key = "\"audio_base_64\"";
  auto const found = text.find(key);
  if (found == std::string_view::npos || (found > 0 && text[found - 1] == '\\')) return std::nullopt;
  auto at = found + key.size();
  auto const skip_blanks = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
  };
  skip_blanks();
  if (at >= text.size() || text[at] != ':') return std::nullopt;
  ++at;
  skip_blanks();
  if (at >= text.size() || text[at] != '"') return std::nullopt;
  ++at;
  auto const end = text.find('"', at);
  if (end == std::string_view::npos) return std::nullopt;
  Carved carved{{}, text.substr(at, end - at)};
  if (carved.base64.find('\\') != std::string_view::npos) return std::nullopt;
  carved.rest.reserve(text.size() - carved.base64.size() + placeholder.size());
  carved.rest.append(text.substr(0, at)).append(placeholder).append(text.substr(end));
  if (!has_placeholder_once(carved.rest)) return std::nullopt;
  return carved;
}

/// The fast way for audio in the shape that the service writes it: these members and no others, in either order,
/// without blanks or escapes. Nothing for everything else, which the general way then reads.
std::optional<Read> decode_usual_audio(std::string_view text, std::vector<std::uint8_t>& buffer) {
  auto const skip = [&text](std::string_view literal) {
    if (!text.starts_with(literal)) return false;
    text.remove_prefix(literal.size());
    return true;
  };
  bool const type_first = skip(R"({"type":"audio",)");
  if (!type_first && !skip("{")) return std::nullopt;
  if (!skip(R"("audio_event":{"audio_base_64":")")) return std::nullopt;
  auto const end = text.find('"');
  if (end == std::string_view::npos) return std::nullopt;
  auto const base64 = text.substr(0, end);
  text.remove_prefix(end);
  if (!skip(R"(","event_id":)")) return std::nullopt;
  std::int64_t id = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  // JSON has no number that begins with a zero, and the general way reads -0 as it likes.
  if (error != std::errc{} || text.front() == '-' || (text.front() == '0' && id != 0)) return std::nullopt;
  bool const is_long = rest - text.data() > 1 && text.front() == '0';
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  if (is_long || text != (type_first ? "}}" : R"(},"type":"audio"})")) return std::nullopt;
  auto const bound = base::base64_decoded_bound(base64.size());
  if (buffer.size() < bound) buffer.resize(bound);
  auto const size = base::decode_base64(base64, buffer);
  if (!size) return std::nullopt;
  return Audio{id, std::span{buffer}.first(*size), std::nullopt};
}

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string const* audio_text(Json const& json) {
  auto const* event = object_member(json, "audio_event");
  auto const* base64 = event ? member(*event, "audio_base_64") : nullptr;
  return base64 && base64->is_string() ? &base64->get_ref<std::string const&>() : nullptr;
}

}  // namespace

base::Result<Incoming> decode(std::string_view text, std::vector<std::uint8_t>& audio) {
  if (text.size() > max_message_bytes) return base::fail(base::Fault::too_large, "agent message: too long");
  if (auto usual = decode_usual_audio(text, audio)) return std::move(*usual);
  if (auto const carved = carve_audio(text); carved && !is_nested_too_deep(carved->rest)) {
    auto const json = parse(carved->rest);
    auto const* stand_in = audio_text(json);
    if (stand_in && *stand_in == placeholder && text_or_empty(json, "type") == "audio")
      return read_audio(json, carved->base64, audio);
  }
  if (is_nested_too_deep(text)) return base::fail(base::Fault::too_large, "agent message: nested too deep");
  auto const json = parse(text);
  if (!json.is_object()) return unreadable("not a JSON object");
  auto type = text_in(json, "type");
  if (!type) return unreadable("no type");
  if (*type != "audio") return read_message(json, std::move(*type));
  auto const* base64 = audio_text(json);
  if (!base64) return unreadable("audio without data");
  return read_audio(json, *base64, audio);
}

}  // namespace gateway::elevenlabs
