#pragma once
// A simulated agent platform on manual time and scripted clients of it, on one thread.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"
#include "gateway/net/http_client.h"
#include "loadtest/sim/elevenlabs/sim.h"
#include "tests/support/manual_time.h"

namespace sim::elevenlabs::test_scene {

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// What a client of the conversation socket sees and does. Real time limits only its patience.
class Client final : public net::WebSocketSink {
 public:
  explicit Client(asio::any_io_executor executor) : executor_{executor}, changed_{executor}, reader_{executor} {}

  base::Async<base::Result<>> connect(std::string url, net::Headers headers = {}) {
    auto parsed = net::parse_url(url);
    if (!parsed) co_return std::unexpected{parsed.error()};
    net::WebSocketSettings settings;
    settings.max_message_bytes = 16 * 1024 * 1024;
    settings.max_queued_bytes = 16 * 1024 * 1024;
    auto tls = net::make_tls_client();
    auto opened = co_await net::connect_websocket(*parsed, std::move(headers), settings, *tls, 5s);
    if (!opened) co_return std::unexpected{opened.error()};
    socket_ = std::move(*opened);
    reader_.spawn(read());
    co_return base::Result<>{};
  }

  void send(Json const& message) { (void)socket_->send(message.dump()); }
  void send_text(std::string const& text) { (void)socket_->send(text); }
  void introduce(Json extra = Json::object()) {
    extra["type"] = "conversation_initiation_client_data";
    send(extra);
  }
  void send_audio(std::span<std::uint8_t const> bytes) {
    std::string text = R"({"user_audio_chunk":")";
    base::append_base64(text, bytes);
    send_text(text + "\"}");
  }
  base::Async<> close() {
    co_await socket_->close(1000, "User ended conversation");
    co_await until([this] { return closed.has_value(); });
  }
  void abort() { socket_->abort(); }

  base::Async<bool> until(std::function<bool()> condition, std::chrono::milliseconds limit = 5s) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer guard{executor_, limit};
    while (!condition()) {
      if (guard.expiry() <= std::chrono::steady_clock::now()) co_return false;
      (void)co_await (changed_.wait() || guard.async_wait(base::quietly));
    }
    co_return true;
  }
  base::Async<bool> gets(std::string type, std::size_t times = 1) {
    auto got = co_await until([this, type, times] { return count(type) >= times; });
    co_return got;
  }
  base::Async<bool> is_closed() {
    auto ended = co_await until([this] { return closed.has_value(); });
    co_return ended;
  }

  std::size_t count(std::string_view type) const { return all(type).size(); }
  std::vector<Json> all(std::string_view type) const {
    std::vector<Json> found;
    for (auto const& message : messages)
      if (message.value("type", "") == type) found.push_back(message);
    return found;
  }
  Json last(std::string_view type) const {
    auto const found = all(type);
    return found.empty() ? Json{} : found.back();
  }
  std::size_t index_of(std::string_view type) const {
    for (std::size_t i = 0; i < messages.size(); ++i)
      if (messages[i].value("type", "") == type) return i;
    return messages.size();
  }
  /// Agent audio as received, of one turn or of all.
  std::vector<std::uint8_t> audio(std::optional<std::int64_t> event_id = {}) const {
    std::vector<std::uint8_t> out;
    for (auto const& message : all("audio")) {
      auto const& event = message["audio_event"];
      if (event_id && event["event_id"] != *event_id) continue;
      auto const text = event["audio_base_64"].get<std::string>();
      std::vector<std::uint8_t> bytes(base::base64_decoded_bound(text.size()));
      auto const length = base::decode_base64(text, bytes);
      if (length) out.insert(out.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*length));
    }
    return out;
  }

  void on_text(std::string_view message) override {
    auto json = Json::parse(message, nullptr, false);
    if (json.is_object()) {
      if (answers_pings && json.value("type", "") == "ping")
        (void)socket_->send_first(Json{{"type", "pong"}, {"event_id", json["ping_event"]["event_id"]}}.dump());
      largest = std::max(largest, message.size());
      messages.push_back(std::move(json));
    } else {
      ++unreadable;
    }
    changed_.ring();
  }
  void on_binary(std::size_t) override {
    ++binaries;
    changed_.ring();
  }

  base::Async<> finish(base::TimeSource& time) {
    if (socket_) socket_->abort();
    co_await reader_.drain(time, 0s);
    socket_.reset();  // its keep-alive timer would hold up the end of the test
  }

  std::vector<Json> messages;
  std::size_t unreadable = 0;
  std::size_t binaries = 0;
  std::size_t largest = 0;
  bool answers_pings = true;
  std::optional<net::WebSocketClosed> closed;

 private:
  base::Async<> read() {
    closed = co_await socket_->run(*this);
    changed_.ring();
  }

  asio::any_io_executor executor_;
  Bell changed_;
  base::TaskGroup reader_;
  std::unique_ptr<net::WebSocket> socket_;
};

inline Agent plain_agent(std::string id = "agent_x") {
  Agent agent;
  agent.id = std::move(id);
  agent.client_events = default_client_events();
  agent.first_message = Say{"Hello, how can I help you today?", {AudioSource::Kind::tone, {}, 1000ms}};
  agent.otherwise = Say{"I have understood every single word of it.", {AudioSource::Kind::tone, {}, 2000ms}};
  return agent;
}

inline ElevenLabsSim::Options with(Agent agent, std::vector<std::string> keys = {}) {
  ElevenLabsSim::Options options;
  options.scenario = Scenario{};
  options.scenario.api_keys = std::move(keys);
  options.scenario.agents.push_back(std::move(agent));
  return options;
}

class Scene {
 public:
  explicit Scene(ElevenLabsSim::Options options = with(plain_agent()))
      : sim{io.get_executor(), time, std::move(options)} {
    sim.listen();
  }

  /// Runs a test's story to its end, then takes everything down.
  template <class Story>
  void play(Story story) {
    asio::co_spawn(io, sim.serve(), [](std::exception_ptr) {});
    asio::co_spawn(io, tell(story), [](std::exception_ptr crash) {
      if (crash) std::rethrow_exception(crash);
    });
    io.run();
  }

  /// Moves time in small steps and lets everybody act at each.
  base::Async<> pass(std::chrono::milliseconds length) {
    for (auto left = length; left > 0ms; left -= 10ms) {
      time.advance(std::min(left, std::chrono::milliseconds{10ms}));
      for (int i = 0; i < 8; ++i) co_await asio::post(io, asio::use_awaitable);
    }
  }

  /// Speaks (or is silent) in 20 ms frames, in step with the simulator, as a live caller does.
  base::Async<> send_live(std::span<std::int16_t const> samples) {
    auto const& record = *sim.newest();
    std::size_t const frame = record.input.rate / 50;
    for (std::size_t at = 0; at + frame <= samples.size(); at += frame) {
      auto const seen = record.caller_messages;
      client.send_audio(to_bytes(samples.subspan(at, frame), record.input.codec));
      bool const arrived = co_await sim.until([&] { return record.caller_messages > seen || record.ended; });
      EXPECT_TRUE(arrived);
      co_await pass(20ms);
    }
  }
  base::Async<> caller_speaks(std::chrono::milliseconds length) {
    auto const speech = sine(300, sim.newest()->input.rate, length);
    co_await send_live(speech);
  }
  base::Async<> caller_is_silent(std::chrono::milliseconds length) {
    std::vector<std::int16_t> const silence(sim.newest()->input.rate / 1000 * static_cast<std::size_t>(length.count()));
    co_await send_live(silence);
  }

  /// Connects, introduces itself and waits for the metadata.
  base::Async<bool> begin(Json client_data = Json::object(), std::string agent_id = "agent_x") {
    auto connected = co_await client.connect(sim.socket_url(agent_id));
    if (!connected) co_return false;
    client.introduce(std::move(client_data));
    bool const known = co_await client.gets("conversation_initiation_metadata");
    co_return known;
  }

  asio::io_context io{1};
  test::ManualTime time;
  ElevenLabsSim sim;
  Client client{io.get_executor()};

 private:
  template <class Story>
  base::Async<> tell(Story& story) {
    std::exception_ptr crash;
    try {
      co_await story(*this);
    } catch (...) {
      crash = std::current_exception();
    }
    co_await client.finish(time);
    sim.stop();
    co_await sim.drain(0s);
    if (crash) std::rethrow_exception(crash);
  }
};

}  // namespace sim::elevenlabs::test_scene
