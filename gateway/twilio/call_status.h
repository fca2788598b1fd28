#pragma once
#include <optional>
#include <string_view>

namespace gateway::twilio {

/// Twilio's CallStatus. `initiated` occurs in callbacks only; `canceled` is spelled with one l.
enum class CallStatus { queued, initiated, ringing, in_progress, completed, busy, no_answer, failed, canceled };

std::optional<CallStatus> parse_call_status(std::string_view text);
/// As Twilio spells it: "in-progress", "no-answer".
std::string_view to_string(CallStatus status);
/// Final: nothing follows for this call.
bool is_terminal(CallStatus status);
/// Progress of a call as a number; all terminal states share the highest.
int rank(CallStatus status);

/// What is known of a call's progress, merged from callbacks that come late, twice or out of order.
struct CallProgress {
  CallStatus status = CallStatus::queued;
  std::optional<int> sequence;

  /// Takes the update in unless it is old news; true when it changed the status. Terminal states are final, a lower
  /// SequenceNumber never overwrites a higher, and without numbers a call does not step back.
  bool merge(CallStatus update, std::optional<int> update_sequence);
};

/// How a <Dial> ended (DialCallStatus). `answered` is `completed` of a conference.
enum class DialStatus { completed, answered, busy, no_answer, failed, canceled };

std::optional<DialStatus> parse_dial_status(std::string_view text);
std::string_view to_string(DialStatus status);

}  // namespace gateway::twilio
