#include "loadtest/sim/twilio/media_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/net/url.h"

namespace sim::twilio {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr auto connect_limit = 5000ms;               // 31901; Twilio does not publish its own
constexpr std::size_t parameter_limit = 500;         // name and value together
constexpr std::size_t congestion_bytes = 64 * 1024;  // about 4 s of frames, then 31930

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

net::WebSocketSettings socket_settings() {
  net::WebSocketSettings settings;
  settings.max_message_bytes = 16 * 1024 * 1024;  // "any size" of audio is accepted
  settings.max_queued_bytes = congestion_bytes;
  settings.idle_timeout = std::chrono::hours{1};
  settings.write_timeout = std::chrono::minutes{5};
  return settings;
}

int code_of(base::Error const& error) {
  if (error.fault == base::Fault::refused) return 31920;
  if (error.fault == base::Fault::timed_out) return 31901;
  if (error.detail.starts_with("TLS")) return 31910;
  if (error.detail.starts_with("name lookup")) return 31904;
  if (error.detail.starts_with("upgrade")) return 31924;
  return 31902;
}

}  // namespace

MediaStream::MediaStream(Exchange& exchange, CallPlan const& plan, Journal& journal, std::string call_sid,
                         Stream const& verb, std::string document_url, OnStatus on_status)
    : exchange_{exchange},
      plan_{plan},
      journal_{journal},
      verb_{verb},
      url_{resolve_url(document_url, verb.url)},
      on_status_{std::move(on_status)},
      id_{exchange.account.sid, std::move(call_sid), new_sid("MZ")},
      valve_{exchange.executor},
      timer_{exchange.executor},
      alarm_{exchange.executor},
      random_{plan.caller.seed},
      voice_{plan.caller},
      keys_{plan.caller.dtmf} {
  report_.stream_sid = id_.stream_sid;
  first_timestamp_ms_ = 100 + static_cast<std::int64_t>(random_() % 101);
  if (verb.url.find("://") == std::string::npos && url_.starts_with("http")) url_.replace(0, 4, "ws");
}

void MediaStream::violate(int code, std::string what) {
  // Twilio raises the warnings about messages once per stream (error catalogue, 31930 to 31951).
  bool const once = code == 31930 || code == 31931 || code == 31950 || code == 31951;
  if (once && std::find(raised_.begin(), raised_.end(), code) != raised_.end()) return;
  raised_.push_back(code);
  on_status_("stream-error", fmt::format("{} {}", code, what));
  journal_.violate(code, std::move(what));
}

bool MediaStream::check_verb() {
  auto const url = net::parse_url(url_);
  if (!url) return violate(31923, "Stream.url is not a URL"), false;
  bool const plain = url->scheme == "ws" && plan_.allow_plain_loopback && is_loopback(url->host);
  if (url->scheme != "wss" && !plain) return violate(31922, "Stream.url must be wss"), false;
  if (verb_.track != "inbound_track") return violate(31941, "Stream.track must be inbound_track with Connect"), false;
  if (!url->query.empty()) journal_.violate(12200, "Stream.url has a query, which Twilio drops");
  for (auto const& [name, value] : verb_.parameters)
    if (name.size() + value.size() >= parameter_limit)
      return violate(12200, "a Parameter is longer than 500 characters"), false;
  url_ = url_.substr(0, url_.find('?'));
  return true;
}

void MediaStream::finish(StreamEnd cause) {
  if (finish_) return;
  finish_ = cause;
  timer_.cancel();
  alarm_.cancel();
}

base::Async<StreamReport> MediaStream::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool const sound = check_verb();
  auto const target = net::parse_url(reachable_url(plan_, url_));
  if (sound && target && plan_.caller.stop_reading && target->scheme == "ws") {
    valve_port_ = valve_.open();
    co_await (valve_.carry(target->host, target->port_or_default()) && converse());
  } else if (sound) {
    co_await converse();
  }
  report_.arrival_lateness = spread_of(arrival_lateness_);
  report_.send_lateness = spread_of(send_lateness_);
  report_.agent_turns = ear_.turns() + (ear_.agent_speaks() ? 1 : 0);
  report_.underruns = ear_.underruns();
  journal_.note(EventKind::stream_ended, std::string{to_string(report_.end)});
  co_return std::move(report_);
}

base::Async<> MediaStream::converse() {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool const connected = co_await connect();
  if (connected) co_await serve();
  valve_.close();
}

base::Async<> MediaStream::until_finished() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (!finish_ && state.cancelled() == asio::cancellation_type::none) {
    alarm_.expires_at(Clock::time_point::max());
    (void)co_await alarm_.async_wait(base::quietly);
  }
}

base::Async<bool> MediaStream::connect() {
  auto target = net::parse_url(reachable_url(plan_, url_));
  if (!target) co_return false;
  net::Headers headers = upgrade_headers();
  if (valve_port_) {
    headers.add("Host", target->authority());
    target->host = "127.0.0.1";
    target->port = *valve_port_;
  }
  auto const began = Clock::now();
  auto outcome = co_await (net::connect_websocket(*target, headers, socket_settings(), exchange_.tls, connect_limit) ||
                           until_finished());
  if (outcome.index() == 1) {
    if (finish_) report_.end = *finish_;
    co_return false;
  }
  auto& opened = std::get<0>(outcome);
  if (!opened) {
    violate(code_of(opened.error()), opened.error().detail);
    co_return false;
  }
  socket_ = std::move(*opened);
  report_.connect_ms = ms_between(began, Clock::now());
  journal_.note(EventKind::stream_connected, {}, report_.connect_ms);
  co_return true;
}

net::Headers MediaStream::upgrade_headers() const {
  net::Headers headers;
  headers.add("User-Agent", "TwilioProxy/1.1");
  if (plan_.stream_signing == Signing::none) return headers;
  std::string url = url_;
  if (plan_.stream_signing == Signing::trailing_slash) url += '/';
  if (plan_.stream_signing == Signing::https_scheme) url.replace(0, 2, "http");
  std::string const token = plan_.stream_signing == Signing::wrong_token
                                ? std::string(32, 'f')
                                : std::string{exchange_.account.auth_token.reveal()};
  headers.add("X-Twilio-Signature", sign(token, url));
  return headers;
}

base::Async<> MediaStream::serve() {
  send(encode_connected());
  started_ = Clock::now();
  leaves_ = leaves_at(0);
  next_key_at_ = plan_.caller.dtmf_at;
  send(encode_start(id_, ++sequence_, verb_.parameters));
  journal_.note(EventKind::stream_started);
  on_status_("stream-started", {});
  co_await (listen() && speak());
  conclude();
  on_status_("stream-stopped", {});
}

base::Async<> MediaStream::listen() {
  co_await asio::this_coro::throw_if_cancelled(false);
  closed_ = co_await socket_->run(*this);
  over_ = true;
  timer_.cancel();
}

base::Async<> MediaStream::speak() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!over_ && !finish_) {
    timer_.expires_at(std::min(due(tick_), leaves_));
    auto [error] = co_await timer_.async_wait(base::quietly);
    if (error && !over_ && !finish_) finish(StreamEnd::caller_hung_up);  // the simulator is stopping
    auto const now = Clock::now();
    while (!over_ && !finish_ && due(tick_) <= now) play_tick(due(tick_));
    while (!over_ && !finish_ && leaves_ <= now) send_frame(now);
  }
  if (over_) co_return;
  if (*finish_ == StreamEnd::connection_dropped) {
    socket_->abort();
    co_return;
  }
  send(encode_stop(id_, ++sequence_));
  stopped_ = true;
  co_await socket_->close(1000, "");
}

void MediaStream::conclude() {
  report_.close_code = closed_.code;
  if (finish_) {
    report_.end = *finish_;
    return;
  }
  bool const is_clean = closed_.by_peer && (closed_.code == 1000 || closed_.code == 1001 || closed_.code == 1005);
  report_.end = is_clean ? StreamEnd::gateway_closed : StreamEnd::gateway_failed;
  if (is_clean) return;
  if (closed_.by_peer) return violate(31921, fmt::format("the gateway closed with code {}", closed_.code));
  if (closed_.code == 1006) return violate(31903, "the connection broke");
  violate(31924, "breach of the WebSocket protocol: " + closed_.reason);
}

}  // namespace sim::twilio
