#pragma once
// What a simulated call is to do. Every field has a sensible default, so a test names only what it is about.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/sim/twilio/signature.h"
#include "loadtest/sim/twilio/speech.h"

namespace sim::twilio {

using Millis = std::chrono::milliseconds;

/// When the caller's 20 ms frames leave. Their content and their timestamps always follow the absolute clock.
enum class Pacing {
  steady,
  jitter,  ///< Each frame up to 15 ms early or late.
  bursts,  ///< Three frames at once every 60 ms.
};

/// A stretch of the stream, counted from its start.
struct Interval {
  Millis at{0};
  Millis length{0};
};

/// The person on the telephone, and how the line to the gateway behaves. Times count from the stream's `start`.
struct Caller {
  Mulaw speech;  ///< Silence (0xFF) is sent before, between and after.
  Millis speech_at{500};
  bool speech_repeats = false;  ///< Says it again after 2 s of silence, for load.
  std::optional<Millis>
      barge_in_at;  ///< From then on, as soon as the agent is heard speaking, `barge_in_speech` begins.
  Mulaw barge_in_speech;
  std::string dtmf;  ///< Keys 0-9 * # A-D.
  Millis dtmf_at{1000};
  Millis dtmf_gap{200};
  std::optional<Millis> hang_up_after;        ///< Since the call was answered.
  std::optional<Millis> hang_up_after_quiet;  ///< The agent has spoken and then been silent for so long.
  unsigned hang_up_after_agent_turns = 0;     ///< The agent has finished so many utterances; 0: never.
  Pacing pacing = Pacing::steady;
  std::optional<Interval> stall;  ///< Frames due in it leave together at its end.
  std::optional<Interval>
      stop_reading;  ///< Nothing is read from the gateway (ws:// only): its TCP window goes to zero.
  std::optional<Millis> drop_tcp_after;  ///< The connection breaks without `stop` or close frame.
  std::uint32_t seed = 1;                ///< Of jitter, parameter order and first timestamp.
};

enum class CalleeAnswer { answered, busy, no_answer, failed };

/// Whoever is called: by <Dial>, or by an outbound call through REST.
struct CalleePlan {
  CalleeAnswer answer = CalleeAnswer::answered;
  Millis ring_for{1000};
  Millis talk_for{2000};  ///< <Dial> only.
};

/// Faults of call progress callbacks.
struct CallbackFaults {
  bool duplicated = false;
  bool reordered = false;  ///< Each pair arrives the wrong way round.
  Millis late_by{0};
};

enum class Direction { inbound, outbound_api };

struct CallPlan {
  Direction direction = Direction::inbound;
  std::string from = "+14155550100";
  std::string to = "+15005550006";
  std::string voice_url;
  std::string voice_method = "POST";
  std::string twiml;  ///< Outbound only: run instead of asking `voice_url`.
  std::string fallback_url;
  std::string fallback_method = "POST";
  std::string status_callback;  ///< Inbound: hears of the end only. Outbound: of `status_events`.
  std::string status_callback_method = "POST";
  std::vector<std::string> status_events{"completed"};
  std::vector<std::pair<std::string, std::string>> extra_params;  ///< Added to each request for TwiML.

  Millis ring_for{200};  ///< Inbound: from the call's arrival to the first request.
  Caller caller;
  CalleePlan callee;
  Millis record_speaks_for{1500};    ///< <Record>: the caller speaks so long, then silence ends the recording.
  std::vector<std::string> gathers;  ///< What is keyed at the first, second… <Gather>; nothing after the last.
  Millis say_per_character{55};      ///< About 18 characters a second, an ordinary speaking rate.
  std::chrono::seconds time_limit{4 * 3600};

  Signing webhook_signing = Signing::correct;
  Signing stream_signing = Signing::correct;
  CallbackFaults callbacks;
  bool allow_plain_loopback = false;  ///< ws:// to a loopback address is taken instead of raising 31922.
  /// The base URL that the gateway believes to have. Set: requests and upgrades are signed for it, and every URL under
  /// it is reached at the origin of `voice_url` instead.
  std::string public_base;
  bool keep_audio = true;  ///< Fill CallResult::heard and StreamReport::received.
};

}  // namespace sim::twilio
