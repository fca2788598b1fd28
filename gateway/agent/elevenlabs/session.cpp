#include "gateway/agent/elevenlabs/session.h"

#include <charconv>

#include "gateway/agent/elevenlabs/ending.h"
#include "gateway/agent/elevenlabs/rest.h"

namespace gateway::elevenlabs {
namespace {

using namespace asio::experimental::awaitable_operators;
using Kind = AgentLegEnd::Kind;

/// Our WebSocket reports a refused upgrade as "… status 503".
unsigned status_in(std::string_view detail) {
  unsigned status = 0;
  auto const digits = detail.substr(std::min(detail.size(), detail.find_last_not_of("0123456789") + 1));
  std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return status;
}

AgentLegEnd end_for_upgrade(base::Error const& error) {
  auto const status = status_in(error.detail);
  bool const is_final = error.fault == base::Fault::refused && status != 429 && status < 500;
  return {is_final ? Kind::refused : Kind::lost, 0, "socket: " + error.detail};
}

std::chrono::milliseconds left_until(base::Instant deadline, base::Instant now) {
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return std::max(left, std::chrono::milliseconds{1});
}

net::WebSocketSettings socket_settings(Settings const& settings) {
  net::WebSocketSettings wanted;
  wanted.max_message_bytes = max_message_bytes;
  wanted.handshake_timeout = settings.start_budget;
  wanted.idle_timeout = settings.idle_timeout;
  return wanted;
}

/// Names only: with them an owner finds the override or variable that the agent does not allow.
std::string names_sent(AgentRequest const& request) {
  std::string names;
  if (request.first_message) names += "first_message ";
  if (request.language) names += "language ";
  for (auto const& [name, value] : request.dynamic_variables) names.append(name).append(" ");
  if (!names.empty()) names.pop_back();
  return names;
}

}  // namespace

base::Async<AgentLegEnd> Session::run(AgentEvents& events) {
  co_await asio::this_coro::throw_if_cancelled(false);
  quit_.emplace(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  auto end = co_await attempt(events);
  bool const again = may_retry_ && end.kind == Kind::lost && !is_closing_;
  if (again) {
    services_.log.warning("agent lost at the start, trying again", {{"code", end.code}, {"detail", end.detail}});
    services_.meters.retries.Increment();
    co_await (services_.time.wait(services_.settings.retry_pause) || quit_->async_wait(base::quietly));
    end = co_await attempt(events);
  }
  record(end);
  co_return end;
}

base::Async<bool> Session::must_stop() {
  auto const state = co_await asio::this_coro::cancellation_state;
  co_return is_closing_ || state.cancelled() != asio::cancellation_type::none;
}

base::Async<AgentLegEnd> Session::attempt(AgentEvents& events) {
  may_retry_ = false;
  conversation_id_.clear();
  bool stop = co_await must_stop();
  if (stop) co_return AgentLegEnd{Kind::closed, 0, "closed before it began"};
  auto const started = services_.time.now();
  auto const deadline = started + services_.settings.start_budget;
  std::unique_ptr<net::WebSocket> socket;
  std::optional<AgentLegEnd> failure;
  co_await (reach(socket, failure, deadline) || services_.time.wait_until(deadline) ||
            quit_->async_wait(base::quietly));
  stop = co_await must_stop();
  if (stop) co_return AgentLegEnd{Kind::closed, 0, "closed while connecting"};
  auto const was_quick = [&] { return services_.time.now() - started < services_.settings.start_budget / 2; };
  if (!socket) {
    may_retry_ = failure && was_quick();
    if (!failure || services_.time.now() >= deadline) co_return AgentLegEnd{Kind::lost, 0, "not connected in time"};
    co_return *failure;
  }
  auto const executor = co_await asio::this_coro::executor;
  conversation_ =
      std::make_unique<Conversation>(services_, request_, std::move(socket), started, events, unsaid_, executor);
  auto const end = co_await conversation_->run();
  conversation_id_ = conversation_->id();
  may_retry_ = conversation_->is_ready() ? !conversation_->has_happened() : was_quick();
  conversation_.reset();
  co_return end;
}

base::Async<> Session::reach(std::unique_ptr<net::WebSocket>& socket, std::optional<AgentLegEnd>& failure,
                             base::Instant deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto address = co_await locate_socket(services_.http, services_.settings, request_.agent_id,
                                        left_until(deadline, services_.time.now()));
  if (!address) {
    failure = std::move(address.error());
    co_return;
  }
  auto const state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return;
  auto opened = co_await net::connect_websocket(std::move(address->url), std::move(address->headers),
                                                socket_settings(services_.settings), services_.tls,
                                                left_until(deadline, services_.time.now()));
  if (opened)
    socket = std::move(*opened);
  else
    failure = end_for_upgrade(opened.error());
}

base::Async<> Session::close() {
  is_closing_ = true;
  if (quit_) quit_->expires_at(asio::steady_timer::time_point{});
  if (conversation_) co_await conversation_->close();
}

void Session::hear(std::span<std::uint8_t const> bytes) {
  if (conversation_) conversation_->hear(bytes);
}

void Session::tell(std::string_view topic, std::string_view text) {
  if (conversation_)
    conversation_->tell(topic, text);
  else if (auto* waiting = waiting_text())
    encode_contextual_update(*waiting, topic, text);
}

void Session::press(std::string_view digits) {
  if (conversation_)
    conversation_->press(digits);
  else if (auto* waiting = waiting_text())
    encode_key_press(*waiting, digits);
}

std::string* Session::waiting_text() {
  if (unsaid_.size() < unsaid_limit) return &unsaid_.emplace_back();
  services_.meters.unsent.Increment();
  return nullptr;
}

void Session::answer_tool(std::string_view call_id, std::string_view result, bool is_error) {
  if (conversation_) conversation_->answer_tool(call_id, result, is_error);
}

void Session::keep_patient() {
  if (conversation_) conversation_->keep_patient();
}

void Session::record(AgentLegEnd const& end) const {
  services_.meters.count(end);
  bool const is_regular = end.kind == Kind::finished || end.kind == Kind::closed;
  if (is_regular) {
    services_.log.info("agent conversation ended",
                       {{"conversation", conversation_id_}, {"end", to_string(end.kind)}, {"code", end.code}});
    return;
  }
  services_.log.warning("agent conversation failed", {{"conversation", conversation_id_},
                                                      {"end", to_string(end.kind)},
                                                      {"code", end.code},
                                                      {"detail", end.detail},
                                                      {"sent", names_sent(request_)}});
}

Provider::Provider(Settings settings, net::HttpClient& http, net::TlsClient& tls, base::TimeSource& time,
                   base::Metrics& metrics, base::Log log)
    : services_{std::move(settings), http, tls, time, Meters{metrics}, std::move(log)} {}

std::unique_ptr<AgentLeg> Provider::make_leg(AgentRequest request) {
  return std::make_unique<Session>(services_, std::move(request));
}

}  // namespace gateway::elevenlabs
