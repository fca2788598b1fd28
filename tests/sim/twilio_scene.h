#pragma once
// A gateway in a test's hand: answers webhooks with prepared documents and talks on the stream as the test says. It and
// the simulated carrier share one thread, so tests look at plain members.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"
#include "gateway/net/form.h"
#include "loadtest/sim/twilio/twilio_sim.h"
#include "media/frame.h"

namespace twilio_scene {

using Json = nlohmann::json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline std::string const account_sid = "AC00000000000000000000000000000001";
inline std::string const auth_token = "0123456789abcdef0123456789abcdef";

inline std::string response(std::string const& verbs) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>" + verbs + "</Response>";
}

inline std::vector<std::uint8_t> tone(std::chrono::milliseconds length) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(length.count() * 8));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i % 8 < 4 ? 0x90 : 0x10;  // 1 kHz square, loud
  return bytes;
}

/// The gateway's end of one stream.
class StreamEndpoint final : public net::WebSocketSink {
 public:
  struct Arrival {
    Clock::time_point when;
    Json message;
  };
  std::vector<Arrival> arrivals;
  net::WebSocketClosed closed;
  std::function<void(StreamEndpoint&, Json const&)> behaviour;

  explicit StreamEndpoint(asio::any_io_executor executor) : closing_{executor} {}

  void on_text(std::string_view text) override {
    arrivals.push_back({Clock::now(), Json::parse(text)});
    auto const message = arrivals.back().message;
    if (message["event"] == "start") stream_sid_ = message["streamSid"];
    if (behaviour) behaviour(*this, message);
  }
  std::vector<Json> of(std::string const& event) const {
    std::vector<Json> found;
    for (auto const& arrival : arrivals)
      if (arrival.message["event"] == event) found.push_back(arrival.message);
    return found;
  }
  void send(Json const& message) { send_raw(message.dump()); }
  void send_raw(std::string const& text) { EXPECT_TRUE(socket_->send(text).has_value()); }
  void media(std::vector<std::uint8_t> const& mulaw) {
    std::string payload;
    base::append_base64(payload, mulaw);
    send({{"event", "media"}, {"streamSid", stream_sid_}, {"media", {{"payload", payload}}}});
  }
  void mark(std::string const& name) {
    send({{"event", "mark"}, {"streamSid", stream_sid_}, {"mark", {{"name", name}}}});
  }
  void clear() { send({{"event", "clear"}, {"streamSid", stream_sid_}}); }
  void close(std::uint16_t code) { closing_.spawn(socket_->close(code, "")); }
  std::string const& stream_sid() const { return stream_sid_; }

  base::Async<> run(std::unique_ptr<net::WebSocket> socket, base::TimeSource& time) {
    socket_ = std::move(socket);
    closed = co_await socket_->run(*this);
    co_await closing_.drain(time, 2s);
    socket_.reset();
  }

 private:
  std::unique_ptr<net::WebSocket> socket_;
  base::TaskGroup closing_;
  std::string stream_sid_;
};

/// Carrier and gateway on one thread; call() runs a call to its end.
class Scene {
 public:
  using Answer = std::function<net::Response(net::Form const&)>;

  explicit Scene(sim::twilio::TwilioSimSettings settings = {})
      : server{io.get_executor(), time, base::Log::silent(), metrics, router},
        carrier{io.get_executor(), base::Log::silent(), with_account(std::move(settings))} {
    router.on_upgrade("/media", [this](net::PendingUpgrade pending) { return serve_stream(std::move(pending)); });
    auto const handler = [this](net::Request request) { return answer(std::move(request)); };
    router.on("POST", "/*", handler);
    router.on("GET", "/*", handler);
    port = server.listen("127.0.0.1", 0);
    carrier.listen("127.0.0.1", 0);
  }

  std::string url(std::string const& path) const { return "http://127.0.0.1:" + std::to_string(port) + path; }
  std::string stream_url() const { return "ws://127.0.0.1:" + std::to_string(port) + "/media"; }
  std::string connect(std::string const& parameters = {}, std::string const& attributes = {}) const {
    return "<Connect" + attributes + "><Stream url=\"" + stream_url() + "\">" + parameters + "</Stream></Connect>";
  }
  sim::twilio::CallPlan plan() const {
    sim::twilio::CallPlan plan;
    plan.voice_url = url("/voice");
    plan.allow_plain_loopback = true;
    plan.ring_for = 1ms;
    plan.say_per_character = 1ms;
    plan.caller.hang_up_after = 5s;
    return plan;
  }
  void document(std::string const& path, std::string const& verbs) {
    answers[path] = [text = response(verbs)](net::Form const&) { return net::Response::with(200, "text/xml", text); };
  }

  sim::twilio::CallResult call(sim::twilio::CallPlan plan, sim::twilio::Listener listener = {}) {
    sim::twilio::CallResult result;
    run([&]() -> base::Async<> { result = co_await carrier.place_call(std::move(plan), listener); });
    return result;
  }

  /// Runs `story` beside both servers, then stops them.
  void run(std::function<base::Async<>()> story) {
    auto const rethrow = [](std::exception_ptr crash) {
      if (crash) std::rethrow_exception(crash);
    };
    asio::co_spawn(io, carrier.serve(), rethrow);
    asio::co_spawn(io, server.serve(), rethrow);
    asio::co_spawn(io, finish(story), rethrow);
    io.run();
  }

  std::vector<net::Form> forms(std::string const& path) const {
    std::vector<net::Form> found;
    for (auto const& request : requests)
      if (request.path() == path) found.push_back(*net::decode_form(request.body));
    return found;
  }

  asio::io_context io{1};
  base::SystemTime time;
  base::Metrics metrics;
  net::Router router;
  net::HttpServer server;
  sim::twilio::TwilioSim carrier;
  std::uint16_t port = 0;
  std::map<std::string, Answer> answers;
  std::vector<net::Request> requests;
  std::vector<net::Request> upgrades;
  std::function<void(StreamEndpoint&, Json const&)> bot;
  std::vector<std::unique_ptr<StreamEndpoint>> streams;
  unsigned refuse_upgrade_with = 0;

 private:
  static sim::twilio::TwilioSimSettings with_account(sim::twilio::TwilioSimSettings settings) {
    settings.account = {account_sid, base::Secret{auth_token}, {}};
    return settings;
  }

  base::Async<> finish(std::function<base::Async<>()> const& story) {
    co_await story();
    carrier.stop();
    server.stop();
    co_await carrier.drain(1s);
    co_await server.drain(0s);
  }

  base::Async<net::Response> answer(net::Request request) {
    auto const found = answers.find(std::string{request.path()});
    auto const form = net::decode_form(request.method == "GET" ? request.query() : std::string_view{request.body});
    requests.push_back(std::move(request));
    if (found == answers.end()) co_return net::Response::empty(204);
    co_return found->second(form.value_or(net::Form{}));
  }

  base::Async<> serve_stream(net::PendingUpgrade pending) {
    upgrades.push_back(pending.request());
    if (refuse_upgrade_with != 0) {
      co_await pending.refuse(net::Response::text(refuse_upgrade_with, "no"));
      co_return;
    }
    net::WebSocketSettings settings;
    settings.max_queued_bytes = 64 * 1024 * 1024;
    auto socket = co_await pending.accept(settings);
    if (!socket) co_return;
    auto& endpoint = *streams.emplace_back(std::make_unique<StreamEndpoint>(io.get_executor()));
    endpoint.behaviour = bot;
    co_await endpoint.run(std::move(*socket), time);
  }
};

/// A bot that ends the stream as soon as it has begun.
inline void close_at_once(StreamEndpoint& stream, Json const& message) {
  if (message["event"] == "start") stream.close(1000);
}

inline bool has_violation(sim::twilio::CallResult const& result, int code) {
  for (auto const& violation : result.violations)
    if (violation.code == code) return true;
  return false;
}

inline std::string all_violations(sim::twilio::CallResult const& result) {
  std::string text;
  for (auto const& violation : result.violations) text += std::to_string(violation.code) + " " + violation.what + "; ";
  return text;
}

inline std::vector<sim::twilio::Event> events_of(sim::twilio::CallResult const& result, sim::twilio::EventKind kind) {
  std::vector<sim::twilio::Event> found;
  for (auto const& event : result.events)
    if (event.kind == kind) found.push_back(event);
  return found;
}

}  // namespace twilio_scene
