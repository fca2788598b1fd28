#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include "gateway/base/task_group.h"
#include "gateway/net/websocket.h"
#include "loadtest/sim/elevenlabs/bell.h"
#include "loadtest/sim/elevenlabs/client_message.h"
#include "loadtest/sim/elevenlabs/pacing.h"
#include "loadtest/sim/elevenlabs/playback.h"
#include "loadtest/sim/elevenlabs/record.h"
#include "loadtest/sim/elevenlabs/server_message.h"
#include "loadtest/sim/elevenlabs/speech.h"
#include "loadtest/sim/elevenlabs/turn_detector.h"

namespace sim::elevenlabs {

/// Something that happened, for whoever watches. `words` is what was said or the text of a message: show it only on
/// request.
struct Event {
  ConversationRecord const& conversation;
  std::string_view kind;
  std::string detail;
  std::string words;
};

/// What all conversations share; outlives them.
struct Stage {
  base::TimeSource& time;
  Speech& speech;
  std::mt19937& dice;
  Bell& changed;         ///< Rung after every change of a record.
  bool const& stopping;  ///< The server is being taken down: a connection that breaks now was broken by us.
  bool keep_audio;
  std::function<void(Event const&)> on_event;
};

/// One conversation socket from upgrade to end. It knows of its client only what comes over the wire. One thread.
class Conversation final : public net::WebSocketSink {
 public:
  Conversation(asio::any_io_executor executor, Stage stage, Agent agent, ConversationRecord& record);

  /// Talks until the connection has ended; the record is complete then.
  base::Async<> run(net::WebSocket& socket);
  /// Queues steps as if a turn of the caller had asked for them.
  void perform(std::vector<Step> steps);

  void on_text(std::string_view message) override;
  void on_binary(std::size_t bytes) override;

 private:
  /// Why the agent acts next.
  struct Trigger {
    enum class Kind { speech, message, dtmf, silence, command } kind;
    std::string text;
    Milliseconds spoken{0};
    std::vector<Step> steps;
  };
  enum class Flow { go_on, stop };  ///< stop: the turn was interrupted or the conversation is over.

  // conversation.cpp: the course of a conversation
  base::Async<> script();
  base::Async<Flow> open();
  base::Async<Flow> wait_in_queue();
  base::Async<std::optional<Trigger>> next_trigger();
  void send_metadata();
  base::Async<> ping_regularly();
  base::Async<> watch_limits();
  base::Async<> end_with(CloseWith close);
  base::Async<bool> end_if(std::string_view moment);
  base::Async<> rest(Milliseconds length);
  void say_to_client(std::string_view event_name, std::string const& message);
  void drop();
  void note(std::string_view kind, std::string detail = {}, std::string words = {});

  // hearing.cpp: what the client says
  void hear(FromClient const& message);
  void hear(UserAudio const& audio);
  void hear(ClientData const& data);
  void hear(Pong const& pong);
  void hear(ToolResult const& result);
  void hear(ContextualUpdate const& update);
  void hear(UserMessage const& message);
  void hear(UserActivity const& activity);
  void hear(Feedback const& feedback);
  void hear(McpApproval const& approval);
  void check_sound(std::span<std::int16_t const> samples, base::TimeSource::Clock::duration length);
  void check_pacing(base::TimeSource::Clock::duration length);
  void find_fault(Severity severity, std::string kind, std::string detail);

  // acting.cpp: what the agent does
  base::Async<> take_turn(Trigger trigger);
  base::Async<Flow> act(std::vector<Step> const& steps, EventId id);
  base::Async<Flow> act_step(Step const& step, EventId id);
  base::Async<Flow> speak(Say say, EventId id, bool interruptible);
  base::Async<Flow> call_tools(CallTools const& tools, EventId id);
  base::Async<Flow> call_mcp(CallMcpTool const& call, EventId id);
  base::Async<Flow> end_call(EndCall const& end, EventId id);
  void send_odd_messages(EventId id);
  void send_audio(std::span<std::uint8_t const> audio, EventId id, ChunkPosition const& position, bool first);
  std::size_t next_chunk_bytes(std::size_t left);
  base::TimeSource::Clock::duration playing_time(std::size_t bytes) const;
  void interrupt();
  base::Async<> repeat_interruption(EventId id);
  std::size_t write_transcript(TranscriptLine::Role role, std::string text, std::int64_t id, std::string_view medium);
  Turn const* choose_turn(Trigger const& trigger);
  EventId next_id();

  Milliseconds since_start() const;
  bool sends(std::string_view event_name) const;

  Stage stage_;
  Agent agent_;
  ConversationRecord& record_;
  Behaviour const& ways_;
  base::TaskGroup tasks_;
  Bell bell_;  // rung whenever something a task may wait for has changed
  net::WebSocket* socket_ = nullptr;
  bool over_ = false;
  bool closed_by_us_ = false;
  CloseWith our_close_;
  std::string_view current_frame_;  // while it is being heard

  bool got_client_data_ = false;
  bool queued_ = false;
  bool mute_ = false;  // Behaviour::silent has begun
  Initiation initiation_;
  TurnDetector detector_;
  Pacing pacing_;
  Milliseconds too_loud_{0};  // in a row

  Playback playback_;
  bool interruptible_ = true;
  std::uint64_t generation_ = 0;  // grows with each interruption
  Audio utterance_;               // being sent; what is left of it makes stale chunks
  std::size_t utterance_sent_ = 0;
  std::optional<std::int64_t> reuse_id_;
  std::int64_t last_id_;

  std::deque<Trigger> triggers_;
  std::vector<bool> used_turns_;
  std::optional<std::size_t> armed_turn_;  // chosen by DTMF, answers the next turn
  base::Instant last_sign_of_life_;        // of the caller
  base::Instant last_prompt_;
  base::Instant last_receipt_;
  std::map<std::string, bool> mcp_approvals_;
  std::map<std::int64_t, base::Instant> open_pings_;
  std::optional<std::int64_t> latency_ms_;
  base::Instant last_pong_;
};

}  // namespace sim::elevenlabs
