#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace sim::twilio {

enum class EventKind {
  initiated,
  ringing,
  webhook_answered,  ///< detail: what was asked for; ms: until the answer's last byte.
  answered,
  says,  ///< detail: the text.
  plays,
  redirected,
  stream_connected,  ///< ms: from opening the connection to 101.
  stream_started,
  first_audio,  ///< ms: since `start`.
  agent_speaks,
  agent_silent,
  caller_speaks,
  caller_silent,
  mark,   ///< Echoed. detail: its name.
  clear,  ///< ms: until playback was silent.
  dtmf,
  violation,
  stream_ended,  ///< detail: who and why.
  dialling,
  dial_ended,
  recorded,
  gathered,
  rest_update,
  callback_delivered,  ///< detail: status; ms: until the answer.
  hung_up,             ///< detail: the ending.
};

std::string_view to_string(EventKind kind);

struct Event {
  std::chrono::microseconds at{0};  ///< Since the call began.
  EventKind kind = EventKind::initiated;
  std::string detail;
  double ms = 0;
};

/// Called on the call's thread.
using Listener = std::function<void(std::string const& call_sid, Event const& event)>;

/// "00:01.240 clear: playback stopped after 18 ms".
std::string to_line(Event const& event);

}  // namespace sim::twilio
