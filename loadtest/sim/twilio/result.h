#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/sim/twilio/speech.h"
#include "loadtest/sim/twilio/timeline.h"
#include "loadtest/sim/twilio/violation.h"

namespace sim::twilio {

/// How late something was, in milliseconds; negative is early.
struct Spread {
  std::size_t count = 0;
  double p50 = 0;
  double p99 = 0;
  double max = 0;
};
/// Sorts `samples`.
Spread spread_of(std::vector<float>& samples);

enum class StreamEnd {
  not_connected,
  gateway_closed,  ///< With close code 1000 or 1001.
  gateway_failed,  ///< Another close code, a broken connection, or a breach of the WebSocket protocol.
  caller_hung_up,
  call_updated,       ///< REST ended the call or gave it another document.
  connection_dropped  ///< By our own option.
};
std::string_view to_string(StreamEnd end);

/// What one Media Stream looked like from Twilio's side.
struct StreamReport {
  std::string stream_sid;
  StreamEnd end = StreamEnd::not_connected;
  std::uint16_t close_code = 0;
  double connect_ms = 0;                    ///< From opening the connection to 101.
  std::optional<double> first_audio_ms;     ///< From sending `start` to the first media message.
  std::optional<double> barge_in_ms;        ///< From the first word of the barge-in to the `clear` that followed.
  std::vector<double> clear_to_silence_ms;  ///< For each `clear`: until the caller heard nothing more.
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_lost = 0;  ///< The gateway did not read in time (31930).
  std::uint64_t messages = 0;     ///< Of any kind, valid ones.
  std::uint64_t media_messages = 0;
  std::uint64_t media_bytes = 0;
  std::uint32_t smallest_media = 0;  ///< Bytes of mu-law in one message.
  std::uint32_t largest_media = 0;
  std::uint64_t marks = 0;
  std::uint64_t marks_echoed = 0;
  std::uint64_t clears = 0;
  std::uint64_t underruns = 0;    ///< Silences shorter than 400 ms inside the agent's audio: the caller hears a hole.
  std::uint64_t agent_turns = 0;  ///< Utterances heard to their end.
  std::size_t most_queued_bytes = 0;  ///< Largest playout queue: the gateway's lead.
  Spread arrival_lateness;            ///< Each media message against the moment its audio had to be there.
  Spread send_lateness;               ///< Our own frames against the absolute clock; large: this machine is overloaded.
  Mulaw received;                     ///< All media payloads, one after the other.
};

enum class CallEnding {
  hung_up_by_caller,
  hung_up_by_document,  ///< <Hangup>, or the last verb ended.
  hung_up_by_rest,
  rejected,
  not_reached,        ///< Outbound: busy, no answer, failed or canceled.
  application_error,  ///< No usable TwiML; the caller heard the generic error.
  too_long,
  abandoned  ///< The simulator was stopped.
};
std::string_view to_string(CallEnding ending);

enum class CallStatus { queued, initiated, ringing, in_progress, completed, busy, no_answer, failed, canceled };
/// Twilio's spelling.
std::string_view to_string(CallStatus status);
bool is_final(CallStatus status);

struct CallResult {
  std::string call_sid;
  CallEnding ending = CallEnding::abandoned;
  CallStatus status = CallStatus::failed;
  std::chrono::milliseconds lasted{0};  ///< Since the answer.
  std::optional<double> webhook_ms;     ///< First request for TwiML, to the answer's last byte.
  std::vector<StreamReport> streams;
  std::vector<Violation> violations;
  std::vector<Event> events;
  std::vector<std::string> said;  ///< Texts of <Say>.
  Mulaw heard;                    ///< What the caller's ear got, 8 samples per ms since the call began.

  /// It ended as calls do, and Twilio would have logged nothing.
  bool clean() const {
    return violations.empty() && ending != CallEnding::application_error && ending != CallEnding::abandoned;
  }
};

}  // namespace sim::twilio
