#pragma once
// What an ElevenLabs agent says on its conversation socket, and what we may answer: one JSON object a text frame, both
// ways (official AsyncAPI contract, 2026-08). Pure: no sockets, no clock, no audio formats.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/call/leg.h"

namespace gateway::elevenlabs {

/// A frame of 1,452,781 bytes was seen in the field; the vendor's own Python client accepts 16 MiB.
inline constexpr std::size_t max_message_bytes = 16 * 1024 * 1024;
inline constexpr std::size_t max_nesting = 64;

/// Names a turn: several messages share it, and 0 is a turn like any other. Absent when an older server leaves it out.
using EventId = std::optional<std::int64_t>;

/// The first message of a conversation. It does not mean that our overrides were accepted.
struct Metadata {
  std::string conversation_id;
  std::optional<std::string> agent_output_audio_format;
  std::optional<std::string> user_input_audio_format;
};
struct Ping {
  EventId event_id;
  std::optional<std::int64_t> ping_ms;  ///< The server's estimate of the round trip.
};
struct Audio {
  EventId event_id;
  std::span<std::uint8_t const> bytes;  ///< Lies in the buffer given to decode(); may be empty.
  std::optional<SpokenAlignment> alignment;
};
struct AgentResponse {
  EventId event_id;
  std::string text;
};
/// After an interruption: the text cut to what the server believes was heard.
struct Correction {
  EventId event_id;
  std::string original;
  std::string corrected;
};
struct Complete {
  EventId event_id;
};
struct UserTranscript {
  EventId event_id;
  std::string text;
};
struct TentativeUserTranscript {
  EventId event_id;
  std::string text;
};
struct Interruption {
  EventId event_id;
};
struct ClientToolCall {
  ToolCall call;
};
struct AgentToolResponse {
  std::string tool_name;
  std::string tool_call_id;
  bool is_error = false;
  bool is_called = true;  ///< Older servers do not say.
};
struct McpToolCall {
  std::string tool_call_id;
  std::string state;  ///< loading, awaiting_approval, success, failure
};
struct QueueStatus {
  enum class Status { waiting, admitted, timed_out, other };
  Status status = Status::other;
};
/// `error` and `client_error`, nested or flat; everything may be absent.
struct ErrorEvent {
  std::optional<int> code;  ///< The close code that usually follows.
  std::string type;         ///< `error_type` or `error_name`.
  std::string message;      ///< For telling quota from the rest; not for a log.
};
struct VadScore {
  double score = 0;  ///< 0 to 1
};
/// The provider's guardrail stepped in; the call may end.
struct GuardrailTriggered {};
/// Known to the contract, of no use to a telephone call.
struct Ignored {
  std::string type;
};
struct Unknown {
  std::string type;
};

using Incoming = std::variant<Metadata, Ping, Audio, AgentResponse, Correction, Complete, UserTranscript,
                              TentativeUserTranscript, Interruption, ClientToolCall, AgentToolResponse, McpToolCall,
                              QueueStatus, ErrorEvent, VadScore, GuardrailTriggered, Ignored, Unknown>;

/// Short, fixed names of the alternatives of Incoming, in order: the label set of the message counter.
inline constexpr std::string_view incoming_names[] = {
    "metadata",     "ping",      "audio",        "agent_response",      "correction",    "complete",
    "transcript",   "tentative", "interruption", "client_tool_call",    "tool_response", "mcp_tool_call",
    "queue_status", "error",     "vad_score",    "guardrail_triggered", "ignored",       "unknown"};
static_assert(std::size(incoming_names) == std::variant_size_v<Incoming>);

/// Reads one text frame. `audio` receives the bytes of an audio message and is reused from call to call; it only grows.
/// Fault::protocol for what is no JSON object with a `type`, for an event whose payload is missing or useless, and for
/// audio that is not base64; Fault::too_large beyond 16 MiB or 64 levels. The session goes on after either.
base::Result<Incoming> decode(std::string_view text, std::vector<std::uint8_t>& audio);

// Each encoder replaces the content of `out` and keeps its storage.

/// The first frame. Flat; holds only what is set, because one override the agent's owner has not allowed ends the
/// conversation (1008 override_error). Variables named system__… and numbers that JSON cannot say are left out.
void encode_initiation(std::string& out, AgentRequest const& request);
/// The one message without a `type` (contract).
void encode_audio(std::string& out, std::span<std::uint8_t const> bytes);
void encode_pong(std::string& out, std::int64_t event_id);
/// `result` always travels as a JSON string, also when it holds JSON.
void encode_tool_result(std::string& out, std::string_view call_id, std::string_view result, bool is_error);
/// A later text with the same topic replaces this one; an empty topic never does.
void encode_contextual_update(std::string& out, std::string_view topic, std::string_view text);
/// Treated as a spoken turn: the agent answers.
void encode_user_message(std::string& out, std::string_view text);
/// A user message that says which keys the caller pressed.
void encode_key_press(std::string& out, std::string_view digits);
/// Resets the agent's turn timeout.
void encode_user_activity(std::string& out);
void encode_mcp_approval(std::string& out, std::string_view call_id, bool is_approved);

}  // namespace gateway::elevenlabs
