#pragma once
#include <string_view>

#include "crm/model/call_record.h"

namespace gateway {

/// Why a call stopped. Exactly one per call: the first wins.
enum class Ending {
  caller_hung_up,
  agent_hung_up,  ///< The agent said goodbye and its goodbye was played.
  transferred,    ///< A person took over and the call ended there.
  took_voicemail,
  apologised,         ///< The agent could not be reached and there was nobody else.
  forwarded,          ///< The agent could not be reached; a person was called instead.
  never_answered,     ///< The other side never picked up (outbound), or hung up while ringing.
  stream_never_came,  ///< TwiML was fetched, but no media stream followed.
  stream_lost,        ///< The media stream broke and could not be opened again.
  too_long,
  shut_down,  ///< We were stopped and the grace was over.
  node_lost,  ///< The process that served the call died; found at the next start.
};

constexpr std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::caller_hung_up:
      return "caller_hung_up";
    case Ending::agent_hung_up:
      return "agent_hung_up";
    case Ending::transferred:
      return "transferred";
    case Ending::took_voicemail:
      return "took_voicemail";
    case Ending::apologised:
      return "apologised";
    case Ending::forwarded:
      return "forwarded";
    case Ending::never_answered:
      return "never_answered";
    case Ending::stream_never_came:
      return "stream_never_came";
    case Ending::stream_lost:
      return "stream_lost";
    case Ending::too_long:
      return "too_long";
    case Ending::shut_down:
      return "shut_down";
    case Ending::node_lost:
      return "node_lost";
  }
  return "unknown";
}

/// Whom the ending is put down to. No default: a new ending must choose.
constexpr crm::Blame blame(Ending ending) {
  switch (ending) {
    case Ending::caller_hung_up:
    case Ending::never_answered:
      return crm::Blame::caller;
    case Ending::agent_hung_up:
    case Ending::took_voicemail:
    case Ending::apologised:
    case Ending::forwarded:
      return crm::Blame::agent;
    case Ending::stream_never_came:
    case Ending::stream_lost:
      return crm::Blame::twilio;
    case Ending::transferred:
    case Ending::too_long:
    case Ending::shut_down:
    case Ending::node_lost:
      return crm::Blame::us;
  }
  return crm::Blame::unknown;
}

}  // namespace gateway
