#include "loadtest/sim/elevenlabs/conversation.h"

#include <algorithm>

namespace sim::elevenlabs {
namespace {

using Clock = base::TimeSource::Clock;

TurnDetector::Settings detector_settings(ConversationRecord const& record, Behaviour const& ways) {
  return {record.input.rate, Milliseconds{ways.turn_silence_ms}, Milliseconds{ways.interrupt_after_ms}};
}

}  // namespace

Conversation::Conversation(asio::any_io_executor executor, Stage stage, Agent agent, ConversationRecord& record)
    : stage_{std::move(stage)},
      agent_{std::move(agent)},
      record_{record},
      ways_{agent_.behaviour},
      tasks_{executor},
      bell_{executor},
      detector_{detector_settings(record, agent_.behaviour)},
      last_id_{agent_.behaviour.event_id_first - agent_.behaviour.event_id_step},
      used_turns_(agent_.turns.size()),
      last_sign_of_life_{stage_.time.now()},
      last_prompt_{last_sign_of_life_},
      last_receipt_{last_sign_of_life_},
      last_pong_{last_sign_of_life_} {}

base::Async<> Conversation::run(net::WebSocket& socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  socket_ = &socket;
  note("opened", record_.agent_id);
  tasks_.spawn(script());
  tasks_.spawn(ping_regularly());
  tasks_.spawn(watch_limits());
  auto const closed = co_await socket.run(*this);
  if (stage_.stopping && closed.code == 1006 && !over_) {
    closed_by_us_ = true;
    our_close_ = {1006, "the simulator stopped", {}, "none"};
  }
  co_await asio::this_coro::reset_cancellation_state();
  over_ = true;
  bell_.ring();
  co_await tasks_.drain(stage_.time, Clock::duration::zero());
  auto const now = stage_.time.now();
  if (closed_by_us_)
    record_.ended = Ended{our_close_.code, our_close_.reason, false, now};
  else
    record_.ended = Ended{closed.code, closed.reason, true, now};
  // A client that closes answers no more, and its goodbye may take a second.
  constexpr Milliseconds closing{1000};
  for (auto const& [id, sent] : open_pings_)
    if (now - sent > Milliseconds{ways_.pong_limit_ms} + closing)
      find_fault(Severity::violation, "missing_pong", "ping " + std::to_string(id) + " was never answered");
  note("closed", std::to_string(record_.ended->code) + (record_.ended->by_client ? " by client" : " by agent"));
}

void Conversation::perform(std::vector<Step> steps) {
  triggers_.push_back({Trigger::Kind::command, {}, {}, std::move(steps)});
  bell_.ring();
}

base::Async<> Conversation::script() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto opened = co_await open();
  if (opened == Flow::stop && !record_.accepted) co_return;
  while (!over_) {
    auto trigger = co_await next_trigger();
    if (trigger) co_await take_turn(*std::move(trigger));
  }
}

base::Async<Conversation::Flow> Conversation::open() {
  if (ways_.drop_at_start) {
    drop();
    co_return Flow::stop;
  }
  bool ended = co_await end_if("start");
  if (ended) co_return Flow::stop;
  if (ways_.metadata == "at_once") {
    co_await rest(Milliseconds{ways_.metadata_delay_ms});
    send_metadata();
  }
  while (!got_client_data_ && !over_) co_await bell_.wait();
  if (ways_.metadata == "after_client_data") {
    co_await rest(Milliseconds{ways_.metadata_delay_ms});
    send_metadata();
  }
  if (ways_.metadata == "never")
    while (!over_) co_await bell_.wait();
  ended = co_await end_if("metadata");
  if (over_) co_return Flow::stop;
  if (initiation_.rejection) {
    auto const& why = *initiation_.rejection;
    co_await rest(Milliseconds{ways_.reject_delay_ms});
    CloseWith close{why.code, why.message, why.error_type, ways_.close_shape};
    co_await end_with(std::move(close));
    co_return Flow::stop;
  }
  auto admitted = co_await wait_in_queue();
  if (admitted == Flow::stop) co_return Flow::stop;
  record_.accepted = true;
  note("accepted");
  mute_ = ways_.silent;
  if (initiation_.first_message) {
    // A recording says something else than the text that replaces it.
    if (!agent_.first_message) agent_.first_message.emplace();
    agent_.first_message->text = *initiation_.first_message;
    if (agent_.first_message->audio.kind == AudioSource::Kind::wav) agent_.first_message->audio = AudioSource{};
  }
  if (!agent_.first_message || agent_.first_message->text.empty()) co_return Flow::go_on;
  auto const id = next_id();
  auto spoken = co_await speak(*agent_.first_message, id, ways_.first_message_interruptible);
  if (spoken == Flow::go_on) say_to_client("agent_response_complete", complete_message(id));
  co_return spoken;
}

void Conversation::send_metadata() {
  auto const& out = ways_.metadata_output_format;
  auto const& in = ways_.metadata_input_format;
  say_to_client("conversation_initiation_metadata",
                metadata_message(record_.id, out.empty() ? media::to_string(record_.output) : out,
                                 in.empty() ? media::to_string(record_.input) : in));
}

base::Async<Conversation::Flow> Conversation::wait_in_queue() {
  if (ways_.queue_ms <= 0) co_return Flow::go_on;
  queued_ = true;
  say_to_client("queue_status", queue_message("waiting"));
  co_await rest(Milliseconds{ways_.queue_ms});
  queued_ = false;
  if (over_) co_return Flow::stop;
  say_to_client("queue_status", queue_message(ways_.queue_outcome));
  if (ways_.queue_outcome == "admitted") co_return Flow::go_on;
  CloseWith close{3008, "too many concurrent connections", {}, "none"};
  co_await end_with(std::move(close));
  co_return Flow::stop;
}

base::Async<std::optional<Conversation::Trigger>> Conversation::next_trigger() {
  while (!over_) {
    if (!triggers_.empty()) {
      auto trigger = std::move(triggers_.front());
      triggers_.pop_front();
      co_return trigger;
    }
    auto const now = stage_.time.now();
    auto const quiet_since = std::max(playback_.until(), last_sign_of_life_);
    auto ask_at = base::Instant::max();
    auto hang_up_at = base::Instant::max();
    if (!detector_.caller_is_speaking()) {
      if (ways_.turn_timeout_ms > 0) ask_at = std::max(quiet_since, last_prompt_) + Milliseconds{ways_.turn_timeout_ms};
      if (ways_.silence_end_call_ms > 0) hang_up_at = quiet_since + Milliseconds{ways_.silence_end_call_ms};
    }
    if (now >= hang_up_at) {
      CloseWith close{1000, "silence", {}, "none"};
      co_await end_with(std::move(close));
      co_return std::nullopt;
    }
    if (now >= ask_at) {
      last_prompt_ = now;
      co_return Trigger{Trigger::Kind::silence, {}, {}, {}};
    }
    co_await bell_.wait_until(stage_.time, std::min(ask_at, hang_up_at));
  }
  co_return std::nullopt;
}

base::Async<> Conversation::ping_regularly() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (ways_.ping_interval_ms <= 0) co_return;
  for (std::int64_t id = 0; !over_; ++id) {
    auto waited = co_await stage_.time.wait(Milliseconds{ways_.ping_interval_ms});
    if (!waited || over_) co_return;
    if (mute_ || !got_client_data_) continue;
    open_pings_[id] = stage_.time.now();
    ++record_.pings;
    (void)socket_->send_first(ping_message(id, latency_ms_));
  }
}

base::Async<> Conversation::watch_limits() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const limit = [](base::Instant from, std::int64_t ms) {
    return ms > 0 ? from + Milliseconds{ms} : base::Instant::max();
  };
  while (!over_) {
    auto const silence = limit(last_receipt_, ways_.receive_timeout_ms);
    auto const longest = limit(record_.started, ways_.max_duration_ms);
    auto const no_pong = limit(last_pong_, ways_.pong_required_ms);
    auto const fall = limit(record_.started, ways_.drop_after_ms);
    auto const now = stage_.time.now();
    CloseWith close{1002, "no pong", "transport_receive_timeout", "contract"};
    if (now >= fall) {
      drop();
      co_return;
    }
    if (now >= silence) {
      close.reason = "Client transport receive timeout";
      co_await end_with(std::move(close));
      co_return;
    }
    if (now >= longest) {
      close = {1000, "Conversation has exceeded maximum duration", "max_duration_exceeded", "contract"};
      co_await end_with(std::move(close));
      co_return;
    }
    if (now >= no_pong) {
      co_await end_with(std::move(close));
      co_return;
    }
    auto waited = co_await stage_.time.wait_until(std::min({silence, longest, no_pong, fall}));
    if (!waited) co_return;
  }
}

base::Async<> Conversation::end_with(CloseWith close) {
  if (over_) co_return;
  auto const error = error_message(close.shape, close.code, close.error_type, close.reason);
  if (!error.empty() && !mute_) (void)socket_->send(error);
  over_ = true;
  closed_by_us_ = true;
  our_close_ = close;
  bell_.ring();
  co_await socket_->close(close.code, close.reason);
}

base::Async<bool> Conversation::end_if(std::string_view moment) {
  if (over_) co_return true;
  if (ways_.close_code == 0 || ways_.close_when != moment) co_return false;
  CloseWith close{static_cast<std::uint16_t>(ways_.close_code), ways_.close_reason, ways_.close_error_type,
                  ways_.close_shape};
  co_await end_with(std::move(close));
  co_return true;
}

base::Async<> Conversation::rest(Milliseconds length) {
  auto const until = stage_.time.now() + length;
  while (!over_ && stage_.time.now() < until) co_await bell_.wait_until(stage_.time, until);
}

void Conversation::say_to_client(std::string_view event_name, std::string const& message) {
  if (over_ || mute_ || !sends(event_name)) return;
  (void)socket_->send(message);
}

void Conversation::drop() {
  if (over_) return;
  over_ = true;
  closed_by_us_ = true;
  our_close_ = {1006, "dropped", {}, "none"};
  bell_.ring();
  socket_->abort();
}

void Conversation::note(std::string_view kind, std::string detail, std::string words) {
  if (stage_.on_event) stage_.on_event({record_, kind, std::move(detail), std::move(words)});
  stage_.changed.ring();
}

EventId Conversation::next_id() {
  if (reuse_id_) {
    EventId const again{*reuse_id_, ways_.event_id_as_text};
    reuse_id_.reset();
    return again;
  }
  last_id_ += ways_.event_id_step;
  return {last_id_, ways_.event_id_as_text};
}

Milliseconds Conversation::since_start() const {
  return std::chrono::duration_cast<Milliseconds>(stage_.time.now() - record_.started);
}

bool Conversation::sends(std::string_view event_name) const {
  // These come whatever the agent's list says.
  if (event_name == "conversation_initiation_metadata" || event_name == "queue_status") return true;
  auto const& list = agent_.client_events;
  return std::find(list.begin(), list.end(), event_name) != list.end();
}

}  // namespace sim::elevenlabs
