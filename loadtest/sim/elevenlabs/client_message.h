#pragma once
// What a client of the conversation socket may send (AsyncAPI contract of the service, August 2026), strictly read.
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sim::elevenlabs {

struct UserAudio {
  std::vector<std::uint8_t> bytes;
};
struct ClientData {
  std::string json;  ///< The whole message; see initiation.h.
};
struct Pong {
  std::int64_t event_id;
};
struct ToolResult {
  std::string tool_call_id;
  std::string result;
  bool is_error;
};
struct ContextualUpdate {
  std::string text;
  std::string context_id;
};
struct UserMessage {
  std::string text;
};
struct UserActivity {};
struct Feedback {
  std::int64_t event_id;
  std::string score;
};
struct McpApproval {
  std::string tool_call_id;
  bool is_approved;
};

using FromClient = std::variant<UserAudio, ClientData, Pong, ToolResult, ContextualUpdate, UserMessage, UserActivity,
                                Feedback, McpApproval>;

/// What is wrong with a message: a word for counting and a sentence.
struct BadMessage {
  std::string kind;  ///< not_json, unknown_type, missing_fields, bad_base64.
  std::string detail;
};

std::expected<FromClient, BadMessage> decode_client_message(std::string_view text);

}  // namespace sim::elevenlabs
