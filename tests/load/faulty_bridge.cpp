#include "tests/load/faulty_bridge.h"

#include <nlohmann/json.hpp>
#include <tuple>

#include "gateway/base/base64.h"
#include "gateway/net/url.h"
#include "gateway/net/websocket.h"

namespace test {
namespace {

using Json = nlohmann::json;
using namespace asio::experimental::awaitable_operators;

constexpr std::size_t frame_bytes = 160;

std::string decoded(std::string const& base64) {
  std::vector<std::uint8_t> bytes(base::base64_decoded_bound(base64.size()));
  auto const size = base::decode_base64(base64, bytes);
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size.value_or(0))};
}

std::string encoded(std::string const& bytes) {
  std::string text;
  base::append_base64(text, {reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
  return text;
}

std::uint16_t free_port() {
  asio::io_context context;
  asio::ip::tcp::acceptor const acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  return acceptor.local_endpoint().port();
}

}  // namespace

/// One call: the stream on one side, the conversation on the other.
class FaultyBridge::Line {
 public:
  Line(Faults const& faults, int call, std::unique_ptr<net::WebSocket> carrier)
      : faults_{faults}, call_{call}, carrier_{std::move(carrier)}, from_carrier_{*this}, from_agent_{*this} {}

  base::Async<> run(net::Url agent, net::TlsClient& tls) {
    auto opened = co_await net::connect_websocket(std::move(agent), {}, {.max_message_bytes = 1 << 20}, tls,
                                                  std::chrono::seconds{5});
    if (!opened) co_return;
    agent_ = std::move(*opened);
    co_await (listen_to_carrier() && listen_to_agent());
  }

 private:
  struct FromCarrier : net::WebSocketSink {
    explicit FromCarrier(Line& its_line) : line{its_line} {}
    void on_text(std::string_view message) override { line.hear_carrier(Json::parse(message)); }
    Line& line;
  };
  struct FromAgent : net::WebSocketSink {
    explicit FromAgent(Line& its_line) : line{its_line} {}
    void on_text(std::string_view message) override { line.hear_agent(Json::parse(message)); }
    Line& line;
  };

  base::Async<> listen_to_carrier() {
    co_await carrier_->run(from_carrier_);
    co_await agent_->close(1000, "");
  }
  base::Async<> listen_to_agent() {
    co_await agent_->run(from_agent_);
    carrier_->abort();
  }

  std::vector<Frame> fate(Fate const& fate, int number, Frame frame) const {
    if (!fate) return {std::move(frame)};
    return fate(call_, number, std::move(frame));
  }

  void hear_carrier(Json const& message) {
    auto const event = message["event"].get<std::string>();
    if (event == "start") {
      stream_ = message["streamSid"].get<std::string>();
      Json const variables{{"call_sid", message["start"]["callSid"]}};
      say({{"type", "conversation_initiation_client_data"}, {"dynamic_variables", variables}});
    } else if (event == "media") {
      auto frame = decoded(message["media"]["payload"].get<std::string>());
      for (auto& heard : fate(faults_.to_agent, to_agent_++, std::move(frame))) pass_to_agent(std::move(heard));
      if (call_ == faults_.drops_agent_of && to_agent_ == 50) agent_->abort();
    }
  }

  void pass_to_agent(Frame frame) {
    if (is_up_)
      say({{"user_audio_chunk", encoded(frame)}});
    else if (!faults_.forgets_early)
      early_.push_back(std::move(frame));
  }

  void hear_agent(Json const& message) {
    auto const type = message["type"].get<std::string>();
    if (type == "conversation_initiation_metadata") {
      is_up_ = true;
      for (auto& frame : std::exchange(early_, {})) pass_to_agent(std::move(frame));
    } else if (type == "ping") {
      say({{"type", "pong"}, {"event_id", message["ping_event"]["event_id"]}});
    } else if (type == "interruption") {
      cut_ = message["interruption_event"]["event_id"].get<int>();
      for (int i = 0; i < faults_.clears; ++i) tell(Json{{"event", "clear"}, {"streamSid", stream_}});
    } else if (type == "audio") {
      auto const& event = message["audio_event"];
      bool const is_stale = event["event_id"].get<int>() <= cut_;
      if (!is_stale || faults_.lets_stale_pass) speak(decoded(event["audio_base_64"].get<std::string>()));
    }
  }

  void speak(std::string const& audio) {
    for (std::size_t at = 0; at + frame_bytes <= audio.size(); at += frame_bytes)
      for (auto const& frame : fate(faults_.to_caller, to_caller_++, audio.substr(at, frame_bytes)))
        tell(Json{{"event", "media"}, {"streamSid", stream_}, {"media", {{"payload", encoded(frame)}}}});
  }

  // What is said to an end that has gone is nobody's loss.
  void say(Json const& message) { std::ignore = agent_->send(message.dump()); }
  void tell(Json const& message) { std::ignore = carrier_->send(message.dump()); }

  Faults const& faults_;
  int call_;
  std::unique_ptr<net::WebSocket> carrier_;
  std::unique_ptr<net::WebSocket> agent_;
  FromCarrier from_carrier_;
  FromAgent from_agent_;
  std::string stream_;
  bool is_up_ = false;
  std::vector<Frame> early_;
  int to_agent_ = 0;
  int to_caller_ = 0;
  int cut_ = -1;
};

FaultyBridge::FaultyBridge(Faults faults)
    : faults_{std::move(faults)}, agents_port_{free_port()}, tls_{net::make_tls_client()} {
  server_.router.on("POST", "/api/twilio/voice-callback", [this](net::Request) -> base::Async<net::Response> {
    co_return net::Response::with(200, "text/xml", twiml());
  });
  server_.router.on("POST", "/api/twilio/status-callback",
                    [](net::Request) -> base::Async<net::Response> { co_return net::Response::empty(204); });
  server_.router.on_upgrade("/media", [this](net::PendingUpgrade pending) { return carry(std::move(pending)); });
  server_.start();
}

FaultyBridge::~FaultyBridge() = default;

std::string FaultyBridge::twiml() const {
  if (!faults_.answer.empty()) return faults_.answer;
  return R"(<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="ws://127.0.0.1:)" +
         std::to_string(server_.port()) + R"(/media"/></Connect></Response>)";
}

base::Async<> FaultyBridge::carry(net::PendingUpgrade pending) {
  auto carrier = co_await pending.accept({.max_queued_bytes = 1 << 20});
  if (!carrier) co_return;
  auto agent = net::parse_url("ws://127.0.0.1:" + std::to_string(agents_port_) + "/v1/convai/conversation?agent_id=a");
  Line line{faults_, calls_++, std::move(*carrier)};
  co_await line.run(std::move(*agent), *tls_);
}

sim::load::Options FaultyBridge::options() const {
  sim::load::Options options;
  options.target = server_.url("");
  options.port = agents_port_;
  options.calls = 3;
  options.settle = std::chrono::milliseconds{300};
  options.window = std::chrono::milliseconds{1500};
  return options;
}

}  // namespace test
