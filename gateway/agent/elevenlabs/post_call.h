#pragma once
// What ElevenLabs says about a conversation after it has ended: the post-call webhook, and the same object from the
// conversations API. Pure, lenient: a field that is missing or odd is named in `quarantine` and never costs the rest.
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace gateway::elevenlabs {

/// One of the agent's evaluation criteria. `result` is success, failure or unknown.
struct Criterion {
  std::string id;
  std::string result;
  std::string rationale;
};

/// One value the agent was asked to collect; `value_json` is text, number, true, false, null or a small structure.
struct CollectedValue {
  std::string id;
  std::string value_json;
  std::string rationale;
};

/// One stretch of speech; what tools did is not among them.
struct SpokenTurn {
  bool by_agent = false;
  std::string text;      ///< Of the agent: as far as the provider believes that it was spoken.
  std::string original;  ///< What an interrupted agent meant to say; else empty.
  bool interrupted = false;
  std::chrono::seconds at{0};  ///< Since the conversation began.
};

/// All texts are storable and have a limit.
struct PostCall {
  std::string conversation_id;
  std::string agent_id;
  std::string status;                  ///< done or failed when it is over; initiated, in-progress, processing.
  std::string call_sid;                ///< From our own dynamic variable, or a native Twilio call; else empty.
  std::optional<std::string> summary;  ///< Absent until the analysis is done.
  std::optional<std::string> title;
  std::optional<std::string> call_successful;  ///< success, failure or unknown.
  std::optional<std::int64_t> start_unix;
  std::optional<std::chrono::seconds> duration;
  std::string termination_reason;
  std::vector<Criterion> evaluation;
  std::vector<CollectedValue> collected;
  std::vector<SpokenTurn> transcript;  ///< In its order; as far as it can be read.
  /// Field -> what is wrong with it: {"analysis.transcript_summary", "not a text"}.
  std::map<std::string, std::string> quarantine;
  std::optional<std::int64_t> event_unix;  ///< When the provider said so; with a webhook only.

  /// False while the provider still works on it: ask again later.
  bool is_complete() const { return status == "done" || status == "failed"; }
};

/// As columns of a call's outcome, each below 256 KiB: {"id":{"result":…,"rationale":…}} and
/// {"id":{"value":…,"rationale":…}}.
std::string evaluation_json(PostCall const& call);
std::string collected_json(PostCall const& call);

/// One delivery of the webhook.
struct PostCallEvent {
  std::string type;  ///< post_call_transcription, post_call_audio, call_initiation_failure, or one not known yet.
  std::optional<std::int64_t> event_unix;
  std::string conversation_id;   ///< Empty when there is none.
  std::optional<PostCall> call;  ///< With post_call_transcription only.
};

/// Fault::protocol when the text is no JSON object with a type, or is nested beyond reason.
base::Result<PostCallEvent> read_post_call_event(std::string_view body);

/// The answer of GET /v1/convai/conversations/{id}. Fault::protocol when the text is no JSON object.
base::Result<PostCall> read_conversation(std::string_view json);

}  // namespace gateway::elevenlabs
