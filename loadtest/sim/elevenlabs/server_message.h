#pragma once
// Messages of the service, as text ready to be sent.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/sim/elevenlabs/scenario.h"

namespace sim::elevenlabs {

/// The part of a text that one chunk of its audio carries: letters are spread evenly over the utterance.
struct ChunkPosition {
  std::string_view text;
  Milliseconds start{0};  ///< Of the chunk within the utterance.
  Milliseconds length{0};
  Milliseconds total{1};
};

/// Writes an event id as a number or, as some servers did, as text.
struct EventId {
  std::int64_t value;
  bool as_text = false;
};

std::string metadata_message(std::string_view conversation_id, std::string_view output_format,
                             std::string_view input_format);
std::string ping_message(std::int64_t id, std::optional<std::int64_t> ping_ms);
/// `alignment`: given, missing, empty, partial. `pad_to`: the message is filled up to this size with an unknown field.
std::string audio_message(std::span<std::uint8_t const> audio, EventId id, std::string_view alignment,
                          ChunkPosition const& position, std::size_t pad_to);
/// An audio message whose payload is not base64.
std::string garbage_audio_message(EventId id);
std::string agent_response_message(std::string_view text, EventId id);
std::string correction_message(std::string_view original, std::string_view corrected, std::optional<EventId> id);
std::string complete_message(EventId id);
std::string user_transcript_message(std::string_view text, EventId id);
std::string interruption_message(EventId id);
std::string tool_call_message(ToolCall const& call, std::string_view call_id, EventId id);
std::string mcp_call_message(CallMcpTool const& call, std::string_view call_id, std::string_view state,
                             std::string_view timestamp);
std::string end_call_message(std::string_view call_id, EventId id);
std::string queue_message(std::string_view status);
/// Shapes: contract, client_error, flat, bare; anything else gives an empty text.
std::string error_message(std::string_view shape, std::uint16_t code, std::string_view error_type,
                          std::string_view message);

}  // namespace sim::elevenlabs
