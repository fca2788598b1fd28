#pragma once
// Everything one conversation was: what tests assert on and what the REST side reports.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/time_source.h"
#include "loadtest/sim/elevenlabs/initiation.h"
#include "media/format.h"

namespace sim::elevenlabs {

/// A warning is odd but permitted, or cannot be told from a bad network; a violation breaks the contract.
enum class Severity { warning, violation };

struct Finding {
  Severity severity;
  std::string kind;  ///< A word: pacing, gap, bad_base64, first_frame, late_pong, …
  std::string detail;
  Milliseconds at;    ///< Since the conversation began.
  std::string frame;  ///< The beginning of the message concerned.
};

/// Bytes [offset, offset + bytes) of caller_audio or agent_audio.
struct AudioChunk {
  base::Instant at;
  std::size_t offset;
  std::size_t bytes;
  std::int64_t event_id = 0;  ///< Of agent audio.
};

struct TranscriptLine {
  enum class Role { agent, user } role;
  std::string text;      ///< Of an interrupted agent: what was heard.
  std::string original;  ///< Before an interruption; empty when there was none.
  std::int64_t event_id;
  Milliseconds at;
  std::string medium;  ///< audio or text.
};

struct ToolRecord {
  enum class State { waiting, answered, timed_out, not_awaited };
  std::string call_id;
  std::string name;
  std::string parameters;
  std::int64_t event_id;
  Milliseconds at;
  State state = State::waiting;
  std::string result;
  bool is_error = false;
  Milliseconds took{0};
};

struct PongRecord {
  std::int64_t event_id;
  Milliseconds took;
};

struct InterruptionRecord {
  base::Instant at;
  std::int64_t event_id;    ///< As sent.
  std::size_t agent_bytes;  ///< Agent audio sent before it.
};

struct Ended {
  std::uint16_t code;  ///< 1006 without a close frame.
  std::string reason;
  bool by_client;
  base::Instant at;
};

struct ConversationRecord {
  std::string id;
  std::string agent_id;
  std::string authorization;  ///< public, signed_url, authorization_header, invalid.
  std::string target;         ///< Path and query of the upgrade request.
  std::string user_id;
  media::AudioFormat output{};
  media::AudioFormat input{};
  base::Instant started;
  base::TimeSource::Wall started_wall;
  std::optional<Ended> ended;

  std::string client_data;  ///< The raw message; empty until it came.
  std::map<std::string, std::string> variables;
  bool accepted = false;  ///< The client data was acceptable.

  std::vector<std::uint8_t> caller_audio;  ///< As received; empty when audio is not kept.
  std::vector<AudioChunk> caller_chunks;
  std::vector<std::uint8_t> agent_audio;  ///< As sent, in the output format; empty when audio is not kept.
  std::vector<AudioChunk> agent_chunks;
  std::uint64_t caller_bytes = 0;
  std::uint64_t agent_bytes = 0;
  std::uint64_t caller_messages = 0;  ///< With audio.
  std::uint64_t agent_messages = 0;   ///< With audio.

  std::deque<TranscriptLine> transcript;
  std::vector<std::string> user_messages;
  std::vector<std::string> contextual_updates;
  std::size_t user_activities = 0;
  std::size_t discarded_while_queued = 0;
  std::uint64_t pings = 0;
  std::vector<PongRecord> pongs;
  std::deque<ToolRecord> tools;
  std::size_t late_tool_results = 0;
  std::vector<InterruptionRecord> interruptions;
  std::size_t turns = 0;  ///< Turns of the caller that were taken.
  std::vector<Finding> findings;

  std::vector<std::int16_t> caller_pcm() const;
  /// Agent audio of one turn, as sent.
  std::vector<std::uint8_t> agent_audio_of(std::int64_t event_id) const;
  std::size_t violations() const;
  std::size_t count(std::string_view finding_kind) const;
  /// One line per finding, for the message of a failed test.
  std::string explain() const;
};

}  // namespace sim::elevenlabs
