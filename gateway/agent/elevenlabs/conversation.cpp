#include "gateway/agent/elevenlabs/conversation.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "gateway/agent/elevenlabs/ending.h"

namespace gateway::elevenlabs {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::size_t early_bytes_limit = 2 * 1024 * 1024;
constexpr std::size_t early_messages_limit = 64;
constexpr std::size_t mcp_ids_limit = 256;
/// A bigger buffer is given back: one message of a megabyte must not cost a megabyte for the rest of the call.
constexpr std::size_t audio_buffer_kept = 256 * 1024;

/// The browser client's assumption when the metadata does not say.
constexpr std::string_view default_input_format = "pcm_16000";

// One of each a thread: every conversation of a core fills them in turn, and they never leave the cache.
std::string& text_of_thread() {
  thread_local std::string text;
  return text;
}
std::vector<std::uint8_t>& audio_of_thread() {
  thread_local std::vector<std::uint8_t> audio;
  return audio;
}

/// Messages that the call can understand only once it knows the agent's formats and conversation.
template <class Message>
constexpr bool needs_metadata = std::is_same_v<Message, Audio> || std::is_same_v<Message, AgentResponse> ||
                                std::is_same_v<Message, Correction> || std::is_same_v<Message, Complete> ||
                                std::is_same_v<Message, UserTranscript> || std::is_same_v<Message, Interruption> ||
                                std::is_same_v<Message, ClientToolCall> || std::is_same_v<Message, AgentToolResponse>;

}  // namespace

Conversation::Conversation(Services const& services, AgentRequest const& request,
                           std::unique_ptr<net::WebSocket> socket, base::Instant started, AgentEvents& events,
                           std::vector<std::string>& unsaid, asio::any_io_executor executor)
    : socket_{std::move(socket)},
      outgoing_{text_of_thread()},
      audio_{audio_of_thread()},
      services_{services},
      request_{request},
      events_{events},
      unsaid_{unsaid},
      started_{started},
      alarm_{executor, asio::steady_timer::time_point::max()},
      due_{started + services.settings.start_budget} {}

// ---- life ----------------------------------------------------------------------------------------------------------

base::Async<AgentLegEnd> Conversation::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  encode_initiation(outgoing_, request_);
  send_outgoing();
  co_await (read() || watch());
  auto const state = co_await asio::this_coro::cancellation_state;
  if (is_closing_) co_return AgentLegEnd{AgentLegEnd::Kind::closed, closed_.code, "closed by us"};
  if (verdict_) co_return *verdict_;
  if (state.cancelled() != asio::cancellation_type::none)
    co_return AgentLegEnd{AgentLegEnd::Kind::closed, 0, "cancelled"};
  co_return ending_of({closed_.code, closed_.reason, error_ ? &*error_ : nullptr, queue_timed_out_});
}

base::Async<> Conversation::close() {
  is_closing_ = true;
  co_await socket_->close(1000, "User ended conversation");  // the reason that official clients give
}

base::Async<> Conversation::read() {
  closed_ = co_await socket_->run(*this);
  is_gone_ = true;
  wake_watch();
}

base::Async<> Conversation::watch() {
  // Ends with the socket and not by cancellation: closing resets the cancellation state, so a request could be missed.
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!is_gone_) {
    alarm_.expires_at(asio::steady_timer::time_point::max());
    if (verdict_ && !goodbye_said_) {
      goodbye_said_ = true;
      co_await socket_->close(1000, "User ended conversation");
    } else if (verdict_ || !due_) {
      (void)co_await alarm_.async_wait(base::quietly);
    } else if (services_.time.now() >= *due_) {
      on_late();
    } else {
      co_await (services_.time.wait_until(*due_) || alarm_.async_wait(base::quietly));
    }
  }
}

/// Rings for a watch() that waits now and for one that is about to.
void Conversation::wake_watch() {
  alarm_.expires_at(asio::steady_timer::time_point{});
}

void Conversation::expect_before(base::Instant when) {
  due_ = when;
  wake_watch();
}

void Conversation::on_late() {
  due_.reset();
  if (error_ || queue_timed_out_)
    decide(ending_of({1006, {}, error_ ? &*error_ : nullptr, queue_timed_out_}));
  else
    decide({AgentLegEnd::Kind::lost, 0, "no conversation metadata in time"});
}

void Conversation::decide(AgentLegEnd verdict) {
  if (!verdict_) verdict_ = std::move(verdict);
  wake_watch();
}

// ---- from us to the agent ------------------------------------------------------------------------------------------

void Conversation::hear(std::span<std::uint8_t const> bytes) {
  if (!is_ready_ || is_held_ || is_over()) return;
  if (socket_->queued_bytes() > backlog_bytes_) {
    services_.meters.dropped_audio.Increment();
    return;
  }
  encode_audio(outgoing_, bytes);
  if (!socket_->send(outgoing_)) services_.meters.dropped_audio.Increment();
}

void Conversation::tell(std::string_view topic, std::string_view text) {
  encode_contextual_update(outgoing_, topic, text);
  say_outgoing();
}

void Conversation::press(std::string_view digits) {
  encode_key_press(outgoing_, digits);
  say_outgoing();
}

void Conversation::answer_tool(std::string_view call_id, std::string_view result, bool is_error) {
  encode_tool_result(outgoing_, call_id, result, is_error);
  send_outgoing();
}

void Conversation::keep_patient() {
  if (!is_ready_ || is_held_ || is_over()) return;
  encode_user_activity(outgoing_);
  send_outgoing();
}

void Conversation::send_outgoing() {
  if (!socket_->send(outgoing_)) services_.meters.unsent.Increment();
}

void Conversation::say_outgoing() {
  if (is_ready_ && !is_held_)
    send_outgoing();
  else if (unsaid_.size() < unsaid_limit)
    unsaid_.push_back(outgoing_);
  else
    services_.meters.unsent.Increment();
}

void Conversation::say_unsaid() {
  for (auto const& text : unsaid_) {
    if (!socket_->send(text)) services_.meters.unsent.Increment();
  }
  unsaid_.clear();
}

// ---- from the agent to us ------------------------------------------------------------------------------------------

void Conversation::on_text(std::string_view message) {
  if (is_over()) return;
  auto const incoming = decode(message, audio_);
  if (!incoming) {
    services_.meters.unreadable.Increment();
    services_.log.debug("agent message unreadable", {{"conversation", id_}, {"error", incoming.error().detail}});
    return;
  }
  services_.meters.count(*incoming);
  std::visit(
      [&]<class Message>(Message const& content) {
        if (needs_metadata<Message> && !is_ready_)
          keep_for_later(message);
        else
          take(content);
      },
      *incoming);
  if (audio_.size() > audio_buffer_kept) audio_ = {};
}

void Conversation::on_binary(std::size_t) {
  services_.meters.binary.Increment();
}

void Conversation::keep_for_later(std::string_view message) {
  if (early_.size() >= early_messages_limit || early_bytes_ + message.size() > early_bytes_limit) {
    services_.meters.too_early.Increment();
    return;
  }
  early_bytes_ += message.size();
  early_.emplace_back(message);
}

std::int64_t Conversation::turn_of(EventId id) {
  if (!id) return turn_;
  turn_ = std::max(turn_, *id);
  return *id;
}

void Conversation::note_progress() {
  if (!error_) return;
  error_.reset();
  if (is_ready_ && !queue_timed_out_) due_.reset();
}

void Conversation::take(Metadata const& message) {
  if (is_ready_) return;
  auto const hears = media::parse_format(message.user_input_audio_format.value_or(std::string{default_input_format}));
  auto const speaks = media::parse_format(message.agent_output_audio_format.value_or("none"));
  if (!hears || !speaks) {
    auto const& why = hears ? speaks.error().detail : hears.error().detail;
    decide({AgentLegEnd::Kind::unusable, 0, for_log(why)});
    return;
  }
  is_ready_ = true;
  id_ = message.conversation_id;
  due_.reset();
  // One second of audio in base64: what waits longer would reach the agent as a burst, which it does not understand.
  backlog_bytes_ = media::bytes_per_second(*hears) * 4 / 3;
  std::chrono::duration<double> const took = services_.time.now() - started_;
  services_.meters.connect_seconds.Observe(took.count());
  services_.log.info("agent conversation ready", {{"conversation", id_},
                                                  {"hears", media::to_string(*hears)},
                                                  {"speaks", media::to_string(*speaks)},
                                                  {"seconds", took.count()}});
  events_.on_agent_ready({id_, *hears, *speaks});
  if (!is_held_) say_unsaid();
  auto const early = std::exchange(early_, {});
  for (auto const& text : early) on_text(text);
}

void Conversation::take(Ping const& message) {
  if (!message.event_id) return;
  encode_pong(outgoing_, *message.event_id);
  if (!socket_->send_first(outgoing_)) services_.meters.unsent.Increment();
}

void Conversation::take(Audio const& message) {
  note_progress();
  auto const turn = turn_of(message.event_id);
  if (message.bytes.empty()) return;
  has_happened_ = true;
  events_.on_agent_audio({turn, message.bytes, message.alignment ? &*message.alignment : nullptr});
}

void Conversation::take(AgentResponse const& message) {
  note_progress();
  auto const turn = turn_of(message.event_id);
  if (!message.text.empty()) events_.on_agent_text(turn, message.text);
}

void Conversation::take(Correction const& message) {
  events_.on_agent_correction(message.event_id, message.original, message.corrected);
}

void Conversation::take(Complete const& message) {
  note_progress();
  events_.on_agent_turn_complete(turn_of(message.event_id));
}

void Conversation::take(UserTranscript const& message) {
  note_progress();
  has_happened_ = true;
  auto const turn = turn_of(message.event_id);
  if (!message.text.empty()) events_.on_caller_text(turn, message.text);
}

void Conversation::take(TentativeUserTranscript const&) {
  note_progress();
}

void Conversation::take(Interruption const& message) {
  note_progress();
  events_.on_interruption(turn_of(message.event_id));
}

void Conversation::take(ClientToolCall const& message) {
  note_progress();
  has_happened_ = true;
  events_.on_tool_call(message.call);
}

void Conversation::take(AgentToolResponse const& message) {
  note_progress();
  has_happened_ = true;
  bool const hangs_up = message.tool_name == "end_call" && !message.is_error && message.is_called;
  if (!hangs_up || hang_up_told_) return;
  hang_up_told_ = true;
  events_.on_agent_hangs_up();
}

/// Nobody is there to approve; without an answer the call would stall for up to 300 s.
void Conversation::take(McpToolCall const& message) {
  if (message.state != "awaiting_approval" || message.tool_call_id.empty()) return;
  if (mcp_answered_.size() >= mcp_ids_limit) mcp_answered_.clear();
  if (!mcp_answered_.insert(message.tool_call_id).second) return;
  services_.log.info("agent tool not approved", {{"conversation", id_}});
  encode_mcp_approval(outgoing_, message.tool_call_id, false);
  send_outgoing();
}

void Conversation::take(QueueStatus const& message) {
  using Status = QueueStatus::Status;
  if (message.status == Status::timed_out) {
    queue_timed_out_ = true;
    expect_before(services_.time.now() + services_.settings.error_grace);
    return;
  }
  bool const waits = message.status == Status::waiting;
  if (waits == is_held_) return;
  is_held_ = waits;
  if (!is_ready_) {
    if (waits)
      due_.reset();
    else
      expect_before(services_.time.now() + services_.settings.start_budget);
  }
  services_.log.info(waits ? "agent is busy, call queued" : "agent took the call from its queue",
                     {{"conversation", id_}});
  events_.on_queue(waits ? QueueState::waiting : QueueState::admitted);
  if (!waits && is_ready_) say_unsaid();
}

void Conversation::take(ErrorEvent const& message) {
  services_.log.warning("agent reported an error",
                        {{"conversation", id_}, {"code", message.code.value_or(0)}, {"type", for_log(message.type)}});
  if (is_max_duration(message)) {
    decide({AgentLegEnd::Kind::finished, 1000, "max_duration_exceeded"});
    return;
  }
  if (!is_terminal(message)) return;
  error_ = message;
  expect_before(services_.time.now() + services_.settings.error_grace);
}

void Conversation::take(GuardrailTriggered const&) {
  services_.log.info("agent guardrail triggered", {{"conversation", id_}});
}

void Conversation::take(Unknown const& message) {
  services_.log.debug("agent message of unknown type", {{"conversation", id_}, {"type", for_log(message.type)}});
}

}  // namespace gateway::elevenlabs
