#pragma once
// What the live call knows of its two ends. Vendors implement these; the call never learns their names.
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/async.h"
#include "media/format.h"

namespace gateway {

// ---- the caller's end ----------------------------------------------------------------------------------------------

/// Hears the caller's leg. All calls come on the core's thread, from inside CallerLeg::run(); views last until the
/// return.
class CallerEvents {
 public:
  virtual ~CallerEvents() = default;
  /// 20 ms of µ-law as a rule; `at` is the carrier's clock since the stream began.
  virtual void on_caller_audio(std::span<std::uint8_t const> mulaw, std::chrono::milliseconds at) = 0;
  virtual void on_caller_digit(char digit) = 0;
  /// The carrier has played everything up to this mark, or has thrown it away after a clear: the two look alike.
  virtual void on_mark(std::string_view name) = 0;
};

enum class CallerLegEnd {
  stopped,   ///< The carrier said the stream is over.
  closed,    ///< We closed it.
  lost,      ///< The connection broke or went silent.
  protocol,  ///< The carrier sent what cannot be understood.
};

/// One bidirectional media stream of one call.
class CallerLeg {
 public:
  virtual ~CallerLeg() = default;
  /// Reads until the stream ends. Returns when nothing is pending; the leg may then be destroyed.
  virtual base::Async<CallerLegEnd> run(CallerEvents& events) = 0;
  /// Queues whole 160-byte µ-law frames for the carrier. Fault::unavailable when the carrier has stopped reading for
  /// long or is gone; Fault::too_large when more than two seconds wait to be written. The frames are then dropped.
  virtual base::Result<> play(std::span<std::uint8_t const> mulaw) = 0;
  virtual base::Result<> mark(std::string_view name) = 0;
  /// Throws away what the carrier holds unplayed; it then echoes all pending marks at once.
  virtual base::Result<> clear() = 0;
  /// Ends the stream from our side, within one second. The carrier goes on with its document.
  virtual base::Async<> close() = 0;
};

// ---- the agent's end -----------------------------------------------------------------------------------------------

struct AgentReady {
  std::string conversation_id;
  media::AudioFormat hears;   ///< What it wants from the caller.
  media::AudioFormat speaks;  ///< What it sends.
};

/// When each character of the accompanying audio is spoken; both arrays have one entry a character (UTF-8 texts).
struct SpokenAlignment {
  std::vector<std::string> characters;
  std::vector<std::int32_t> starts_ms;  ///< From the beginning of this piece of audio.
};

struct AgentAudio {
  std::int64_t event_id;                ///< Names the turn, not the message: several pieces share it.
  std::span<std::uint8_t const> bytes;  ///< In the `speaks` format; may hold an odd number of bytes.
  SpokenAlignment const* alignment = nullptr;
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string parameters_json;  ///< A JSON object as text.
  std::int64_t event_id = 0;
  bool expects_response = true;
};

enum class QueueState { waiting, admitted };

/// Hears the agent. Same rules as CallerEvents.
class AgentEvents {
 public:
  virtual ~AgentEvents() = default;
  virtual void on_agent_ready(AgentReady const& ready) = 0;
  virtual void on_agent_audio(AgentAudio const& audio) = 0;
  virtual void on_agent_text(std::int64_t event_id, std::string_view text) = 0;
  /// `event_id` is absent with older servers: match by `original` then.
  virtual void on_agent_correction(std::optional<std::int64_t> event_id, std::string_view original,
                                   std::string_view corrected) = 0;
  virtual void on_agent_turn_complete(std::int64_t event_id) = 0;
  virtual void on_caller_text(std::int64_t event_id, std::string_view text) = 0;
  virtual void on_interruption(std::int64_t event_id) = 0;
  virtual void on_tool_call(ToolCall const& call) = 0;
  /// The agent has decided to hang up; its goodbye may still be waiting to be played.
  virtual void on_agent_hangs_up() = 0;
  virtual void on_queue(QueueState state) = 0;
};

struct AgentLegEnd {
  enum class Kind {
    finished,  ///< The agent ended the conversation as agents do.
    closed,    ///< We closed it.
    refused,   ///< Wrong agent, wrong key, disallowed override, full: trying again cannot help.
    quota,     ///< The account is out of credit.
    lost,      ///< The connection or the service broke: a new conversation may work.
    unusable,  ///< It speaks an audio format we do not know.
  };
  Kind kind = Kind::lost;
  std::uint16_t code = 0;  ///< The vendor's close code, 0 when none.
  std::string detail;      ///< For the log.
};

/// One conversation with an agent.
class AgentLeg {
 public:
  virtual ~AgentLeg() = default;
  /// Connects, introduces the call and reads until the conversation ends. Returns when nothing is pending.
  virtual base::Async<AgentLegEnd> run(AgentEvents& events) = 0;
  /// The caller's audio in the `hears` format; only after on_agent_ready. Dropped and counted when the agent does not
  /// read.
  virtual void hear(std::span<std::uint8_t const> bytes) = 0;
  /// Adds to what the agent knows without making it speak. A later text with the same topic replaces this one.
  virtual void tell(std::string_view topic, std::string_view text) = 0;
  /// Keys the caller pressed, as a turn of the caller's own: the agent answers.
  virtual void press(std::string_view digits) = 0;
  virtual void answer_tool(std::string_view call_id, std::string_view result, bool is_error) = 0;
  /// Keeps the agent from asking "are you still there?".
  virtual void keep_patient() = 0;
  /// Ends the conversation, within one second.
  virtual base::Async<> close() = 0;
};

using DynamicValue = std::variant<std::string, double, std::int64_t, bool>;

/// Everything an agent must be told before its first word.
struct AgentRequest {
  std::string agent_id;  ///< The provider's id.
  std::map<std::string, DynamicValue> dynamic_variables;
  std::optional<std::string> first_message;  ///< Overrides; set only what the agent's owner has allowed.
  std::optional<std::string> language;
  std::optional<std::string> user_id;
};

/// Makes agent legs; one per provider, chosen in gateway/agent/agents.cpp.
class AgentProvider {
 public:
  virtual ~AgentProvider() = default;
  /// Starts nothing: the leg connects in run().
  virtual std::unique_ptr<AgentLeg> make_leg(AgentRequest request) = 0;
};

}  // namespace gateway
