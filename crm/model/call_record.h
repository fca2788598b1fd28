#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ids.h"

namespace crm {

using Wall = std::chrono::system_clock::time_point;

/// Named as Twilio names them (CallStatus). Everything after in_progress is terminal.
enum class CallStatus { ringing, in_progress, completed, busy, no_answer, failed, canceled };
enum class CallDirection { inbound, outbound };
/// Whom the ending of a call is put down to.
enum class Blame { caller, us, twilio, agent, unknown };
enum class Speaker { agent, caller };

/// One stretch of speech. For an agent turn `said` is what was generated and `heard` the part that Twilio's marks prove
/// was played; for a caller turn both are the recognised text. Times are milliseconds since CallRecord::started_at.
struct CallTurn {
  Speaker role = Speaker::agent;
  std::optional<std::int64_t> event_id;  ///< The agent provider's number of the event, for corrections.
  std::string said;
  std::string heard;
  bool interrupted = false;
  std::int64_t started_ms = 0;
  std::optional<std::int64_t> generated_ms;  ///< Length of audio generated.
  std::optional<std::int64_t> sent_ms;       ///< Length of audio sent to Twilio.
  std::optional<std::int64_t> heard_ms;      ///< Length of audio proven heard.
  bool from_provider = false;  ///< Told by the agent's provider afterwards: our own record of it was lost.
  bool operator==(CallTurn const&) const = default;
};

/// Something that happened in a call and is worth a line on its page.
struct CallEvent {
  Wall at;
  std::string kind;
  std::string detail_json = "{}";  ///< A JSON object.
  bool operator==(CallEvent const&) const = default;
};

/// Something the agent asked us to do in the call, and what it was told.
struct CallToolCall {
  std::string tool_call_id;  ///< The agent provider's.
  std::string name;
  std::string parameters_json = "{}";
  std::string result_json = "{}";
  bool is_error = false;
  std::int64_t started_ms = 0;  ///< Since CallRecord::started_at.
  std::int64_t took_ms = 0;
  bool operator==(CallToolCall const&) const = default;
};

/// A snapshot of everything known about one call; `version` grows with each snapshot taken.
struct CallRecord {
  base::CallId id;
  base::TenantId tenant;
  base::AgentId agent;
  base::CallSid call_sid;
  base::AccountSid account_sid;
  CallDirection direction = CallDirection::inbound;
  std::string from;
  std::string to;
  CallStatus status = CallStatus::ringing;
  std::string node;             ///< The gateway that serves the call,
  std::int64_t node_epoch = 0;  ///< and which of its lives: grows with each start.
  Wall started_at{};
  std::optional<Wall> answered_at;
  std::optional<Wall> ended_at;
  std::optional<std::int64_t> duration_ms;
  std::optional<std::string> ending;
  std::optional<Blame> blame;
  std::optional<std::string> conversation_id;
  std::optional<std::string> recording_path;
  int stream_count = 0;
  int resumed = 0;
  std::int64_t version = 1;
  std::vector<CallTurn> turns;
  std::vector<CallEvent> events;
  std::vector<CallToolCall> tool_calls;  ///< Those that were answered, in that order.
  bool operator==(CallRecord const&) const = default;
};

constexpr bool is_terminal(CallStatus status) {
  return status != CallStatus::ringing && status != CallStatus::in_progress;
}

constexpr std::string_view to_string(CallStatus status) {
  switch (status) {
    case CallStatus::ringing:
      return "ringing";
    case CallStatus::in_progress:
      return "in-progress";
    case CallStatus::completed:
      return "completed";
    case CallStatus::busy:
      return "busy";
    case CallStatus::no_answer:
      return "no-answer";
    case CallStatus::failed:
      return "failed";
    case CallStatus::canceled:
      return "canceled";
  }
  return "failed";
}

constexpr std::string_view to_string(CallDirection direction) {
  return direction == CallDirection::inbound ? "inbound" : "outbound";
}

constexpr std::string_view to_string(Speaker role) {
  return role == Speaker::agent ? "agent" : "caller";
}

constexpr std::string_view to_string(Blame blame) {
  switch (blame) {
    case Blame::caller:
      return "caller";
    case Blame::us:
      return "us";
    case Blame::twilio:
      return "twilio";
    case Blame::agent:
      return "agent";
    case Blame::unknown:
      return "unknown";
  }
  return "unknown";
}

/// From Twilio's word or ours; "queued" and "initiated" count as ringing (Twilio call status values, 2025).
constexpr std::optional<CallStatus> call_status_from(std::string_view text) {
  if (text == "queued" || text == "initiated") return CallStatus::ringing;
  for (auto const status : {CallStatus::ringing, CallStatus::in_progress, CallStatus::completed, CallStatus::busy,
                            CallStatus::no_answer, CallStatus::failed, CallStatus::canceled}) {
    if (to_string(status) == text) return status;
  }
  return std::nullopt;
}

constexpr std::optional<Blame> blame_from(std::string_view text) {
  for (auto const blame : {Blame::caller, Blame::us, Blame::twilio, Blame::agent, Blame::unknown}) {
    if (to_string(blame) == text) return blame;
  }
  return std::nullopt;
}

}  // namespace crm
