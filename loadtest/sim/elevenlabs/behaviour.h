#pragma once
// How an agent of the simulator behaves and misbehaves: flat settings with one name each, so that a scenario file, the
// command line and the query of the socket URL (sim_<name>=<value>) all say them in the same way.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace sim::elevenlabs {

/// Times are milliseconds. The defaults are a well-behaved service with the vendor's default limits.
struct Behaviour {
  // Opening
  std::int64_t accept_delay_ms = 0;  ///< Before the upgrade is answered.
  std::int64_t refuse_upgrade = 0;   ///< HTTP status instead of 101; 0: accept.
  std::int64_t reject_with = 3000;   ///< Bad authorization: close code after the upgrade, or an HTTP status (401, 403).
  std::string metadata = "at_once";  ///< at_once, after_client_data, never.
  std::int64_t metadata_delay_ms = 0;
  std::string metadata_output_format;  ///< Announced instead of the true one; may be nonsense.
  std::string metadata_input_format;
  bool strict = false;                     ///< Violations of the client end the conversation with 1008.
  std::int64_t reject_delay_ms = 100;      ///< Between the metadata and the close, when client data is refused.
  std::int64_t queue_ms = 0;               ///< Held at the concurrency limit for this long.
  std::string queue_outcome = "admitted";  ///< admitted, timed_out.

  // Turns
  std::int64_t turn_silence_ms = 700;       ///< Silence actually received that ends the caller's turn.
  std::int64_t reply_delay_ms = 0;          ///< From the end of the caller's turn to the first answer.
  std::int64_t turn_timeout_ms = 7000;      ///< Silent caller is asked again; 0: never.
  std::int64_t silence_end_call_ms = -1;    ///< Silent caller is hung up on; -1: never.
  std::string transcript_order = "before";  ///< user_transcript before or after agent_response.
  std::string response_order = "before";    ///< agent_response before or after the audio of it.
  std::int64_t event_id_first = 1;
  std::int64_t event_id_step = 1;
  bool event_id_as_text = false;

  // Agent audio
  double burst_factor = 5.0;  ///< Seconds of speech sent per second.
  std::int64_t chunk_ms_min = 100;
  std::int64_t chunk_ms_max = 2000;
  std::int64_t big_message_bytes = 0;  ///< The first audio message of each utterance is padded to this size.
  bool odd_bytes = false;              ///< PCM is cut in the middle of samples.
  bool empty_audio = false;            ///< An audio message without audio opens each utterance.
  std::string alignment = "given";     ///< given, missing, empty, partial.

  // Interruption
  bool first_message_interruptible = true;
  std::int64_t interrupt_after_ms = 60;  ///< Speech of the caller that makes a barge-in.
  std::int64_t stale_chunks = 0;         ///< Audio of the interrupted turn still sent after the interruption.
  bool correction = true;
  bool correction_event_id = true;
  bool reuse_interrupted_id = false;  ///< The next turn speaks under the id that was interrupted.
  bool interrupt_twice = false;
  std::int64_t interruption_id_offset = 0;  ///< Added to the id of interruption events, to make late ones.

  // Keeping alive
  std::int64_t ping_interval_ms = 2000;     ///< 0: no pings.
  std::int64_t pong_limit_ms = 200;         ///< A pong later than this is a violation.
  std::int64_t pong_required_ms = 0;        ///< No pong for this long closes with 1002; 0: never.
  std::int64_t receive_timeout_ms = 60000;  ///< Nothing from the client: transport_receive_timeout, 1002.
  std::int64_t max_duration_ms = 600000;

  // Ends and faults
  bool end_call_after_playback = false;  ///< Otherwise the close comes while the goodbye is still unplayed.
  std::int64_t end_call_delay_ms = 0;
  std::int64_t die_mid_sentence_ms = 0;  ///< TCP close after this much agent audio was sent.
  std::int64_t drop_after_ms = 0;        ///< TCP close this long after the upgrade.
  bool drop_at_start = false;            ///< TCP close right after the upgrade.
  bool silent = false;                   ///< After the metadata nothing is sent again, no ping and no close.
  bool garbage_audio = false;            ///< Audio messages carry text that is not base64.
  bool broken_json = false;              ///< A message that is not JSON precedes each utterance.
  bool binary_frame = false;             ///< A binary message precedes each utterance.
  bool unknown_events = false;           ///< Events nobody has heard of precede each utterance.
  std::int64_t close_code = 0;           ///< Close with this code at `close_when`.
  std::string close_when = "turn";       ///< start, metadata, first_audio, turn, tool.
  std::string close_reason;
  std::string close_error_type;
  std::string close_shape = "contract";  ///< contract, client_error, flat, bare, none.
};

/// One setting's name, its allowed words (empty: any) and what it means.
struct BehaviourOption {
  std::string_view name;
  std::string_view words;
};

std::span<BehaviourOption const> behaviour_options();

/// Sets one field from text; an empty value switches a flag on. Fault::not_found for an unknown name, Fault::protocol
/// for a value that does not fit; the detail says which.
base::Result<> set_behaviour(Behaviour& behaviour, std::string_view name, std::string_view value);

}  // namespace sim::elevenlabs
