#pragma once
// One open conversation socket: who may say what when, and what each message means to the call.
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/agent/elevenlabs/message.h"
#include "gateway/agent/elevenlabs/meters.h"
#include "gateway/agent/elevenlabs/settings.h"
#include "gateway/base/log.h"
#include "gateway/base/time_source.h"
#include "gateway/call/leg.h"
#include "gateway/net/http_client.h"
#include "gateway/net/websocket.h"

namespace gateway::elevenlabs {

/// What every conversation needs; owned by the Provider, which outlives them all.
struct Services {
  Settings settings;
  net::HttpClient& http;
  net::TlsClient& tls;
  base::TimeSource& time;
  Meters meters;
  base::Log log;
};

/// Texts that may wait for an agent that does not listen yet; more are dropped and counted.
inline constexpr std::size_t unsaid_limit = 16;

/// Lives on one core. There is exactly one metadata message a socket and no way to resume: a new socket is a new
/// conversation and a new object.
class Conversation final : public net::WebSocketSink {
 public:
  /// `unsaid` keeps what tell() and press() could not send yet, also across conversations.
  Conversation(Services const& services, AgentRequest const& request, std::unique_ptr<net::WebSocket> socket,
               base::Instant started, AgentEvents& events, std::vector<std::string>& unsaid,
               asio::any_io_executor executor);

  /// Introduces the call and reads until the socket is gone. Nothing is pending afterwards.
  base::Async<AgentLegEnd> run();
  base::Async<> close();

  void hear(std::span<std::uint8_t const> bytes);
  void tell(std::string_view topic, std::string_view text);
  void press(std::string_view digits);
  void answer_tool(std::string_view call_id, std::string_view result, bool is_error);
  void keep_patient();

  /// The agent has told its audio formats.
  bool is_ready() const { return is_ready_; }
  /// Something has been said or done that a new conversation would say or do again.
  bool has_happened() const { return has_happened_; }
  std::string const& id() const { return id_; }

  void on_text(std::string_view message) override;
  void on_binary(std::size_t bytes) override;

 private:
  base::Async<> read();
  /// Ends the conversation when a limit passes or a message decided so; runs beside read(), which stops it.
  base::Async<> watch();
  void wake_watch();
  void expect_before(base::Instant when);
  void on_late();
  void decide(AgentLegEnd verdict);

  void take(Metadata const& message);
  void take(Ping const& message);
  void take(Audio const& message);
  void take(AgentResponse const& message);
  void take(Correction const& message);
  void take(Complete const& message);
  void take(UserTranscript const& message);
  void take(TentativeUserTranscript const& message);
  void take(Interruption const& message);
  void take(ClientToolCall const& message);
  void take(AgentToolResponse const& message);
  void take(McpToolCall const& message);
  void take(QueueStatus const& message);
  void take(ErrorEvent const& message);
  void take(GuardrailTriggered const& message);
  void take(Unknown const& message);
  void take(VadScore const&) {}
  void take(Ignored const&) {}

  /// Keeps a message that came before the metadata without which it cannot be told to the call.
  void keep_for_later(std::string_view message);
  std::int64_t turn_of(EventId id);
  /// The agent goes on: an error it reported before was not the end.
  void note_progress();
  /// Sends outgoing_, or keeps it until the agent listens.
  void say_outgoing();
  void say_unsaid();
  void send_outgoing();
  bool is_over() const { return is_closing_ || verdict_.has_value(); }

  // What every frame touches comes first and lies together.
  std::unique_ptr<net::WebSocket> socket_;
  std::string& outgoing_;             // the thread's, for every message we send
  std::vector<std::uint8_t>& audio_;  // the thread's, for every audio message we receive
  std::size_t backlog_bytes_ = 0;     // queued bytes beyond which the caller's audio is late and dropped
  std::optional<AgentLegEnd> verdict_;
  bool is_ready_ = false;
  bool is_held_ = false;  // in the provider's queue: it throws away what we send
  bool is_closing_ = false;
  Services const& services_;
  AgentRequest const& request_;
  AgentEvents& events_;
  std::vector<std::string>& unsaid_;
  base::Instant started_;
  asio::steady_timer alarm_;  // rings when watch() has something to look at

  std::vector<std::string> early_;
  std::size_t early_bytes_ = 0;
  std::set<std::string, std::less<>> mcp_answered_;
  std::string id_;
  std::int64_t turn_ = 0;  // the highest event id seen, for messages that lack theirs

  std::optional<base::Instant> due_;
  std::optional<ErrorEvent> error_;
  net::WebSocketClosed closed_;
  bool queue_timed_out_ = false;
  bool has_happened_ = false;
  bool hang_up_told_ = false;
  bool is_gone_ = false;
  bool goodbye_said_ = false;
};

}  // namespace gateway::elevenlabs
