#pragma once
// What a close of the conversation socket means for the call. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/agent/elevenlabs/message.h"
#include "gateway/call/leg.h"

namespace gateway::elevenlabs {

/// Everything known when the socket is gone.
struct Circumstances {
  std::uint16_t close_code = 1006;  ///< 1006: broke without a close frame.
  std::string_view close_reason;
  ErrorEvent const* error = nullptr;  ///< An error event that nothing but the close has followed.
  bool queue_timed_out = false;
};

/// The close code decides; an error event speaks where the close is silent (1000, 1005, 1006) or hides a quota.
AgentLegEnd ending_of(Circumstances const& circumstances);

/// True when an error event promises the end of the conversation, so that waiting for the close needs a limit.
bool is_terminal(ErrorEvent const& error);
/// The agent has said everything it may in one conversation: a regular end.
bool is_max_duration(ErrorEvent const& error);

/// Text of the vendor in the form in which it may be logged: at most 120 bytes, runs of five or more digits blotted
/// out.
std::string for_log(std::string_view text);

/// The label of the metric and the log.
std::string_view to_string(AgentLegEnd::Kind kind);

}  // namespace gateway::elevenlabs
