#pragma once
// An agent service on loopback that does exactly what a test's script says, and a call that writes down what it hears.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <list>
#include <nlohmann/json.hpp>

#include "gateway/agent/elevenlabs/session.h"
#include "gateway/base/task_group.h"
#include "gateway/net/http_server.h"
#include "tests/support/manual_time.h"

namespace test {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using gateway::AgentLegEnd;
using Json = nlohmann::json;

/// Rings for whoever waits and for whoever comes later.
class Signal {
 public:
  explicit Signal(asio::any_io_executor executor) : timer_{executor, asio::steady_timer::time_point::max()} {}
  void ring() { timer_.expires_at(asio::steady_timer::time_point{}); }
  base::Async<> wait() {
    (void)co_await timer_.async_wait(base::quietly);
    timer_.expires_at(asio::steady_timer::time_point::max());
  }

 private:
  asio::steady_timer timer_;
};

/// One accepted conversation, as a script sees it.
class Line final : public net::WebSocketSink {
 public:
  Line(net::WebSocket& socket, asio::any_io_executor executor) : socket_{socket}, arrived_{executor} {}

  void says(std::string_view json) { ASSERT_TRUE(socket_.send(json)); }
  /// The next message of the gateway; null when the socket ends first.
  base::Async<Json> hears() {
    while (inbox_.empty() && !gone_) co_await arrived_.wait();
    if (inbox_.empty()) co_return Json{};
    auto message = Json::parse(inbox_.front());
    inbox_.pop_front();
    co_return message;
  }
  base::Async<> closes(std::uint16_t code, std::string reason = {}) { co_await socket_.close(code, std::move(reason)); }
  void breaks() { socket_.abort(); }
  base::Async<> waits_for_the_end() {
    while (!gone_) co_await arrived_.wait();
  }

  void on_text(std::string_view message) override {
    inbox_.emplace_back(message);
    arrived_.ring();
  }
  void on_end(net::WebSocketClosed closed) {
    gone_ = true;
    closed_ = std::move(closed);
    arrived_.ring();
  }
  net::WebSocketClosed const& closed() const { return closed_; }

 private:
  net::WebSocket& socket_;
  Signal arrived_;
  std::deque<std::string> inbox_;
  net::WebSocketClosed closed_;
  bool gone_ = false;
};

using Script = std::function<base::Async<>(Line&)>;

/// Writes down everything as short lines, in order.
class Diary final : public gateway::AgentEvents {
 public:
  void on_agent_ready(gateway::AgentReady const& ready) override {
    note("ready " + ready.conversation_id + " " + media::to_string(ready.hears) + " " + media::to_string(ready.speaks));
    if (when_ready) when_ready();
  }
  void on_agent_audio(gateway::AgentAudio const& audio) override {
    note("audio " + std::to_string(audio.event_id) + " " + std::to_string(audio.bytes.size()) +
         (audio.alignment ? " aligned" : ""));
  }
  void on_agent_text(std::int64_t id, std::string_view text) override {
    note("agent " + std::to_string(id) + " " + std::string{text});
  }
  void on_agent_correction(std::optional<std::int64_t> id, std::string_view original,
                           std::string_view corrected) override {
    note("corrected " + (id ? std::to_string(*id) : "?") + " " + std::string{original} + " > " +
         std::string{corrected});
  }
  void on_agent_turn_complete(std::int64_t id) override { note("complete " + std::to_string(id)); }
  void on_caller_text(std::int64_t id, std::string_view text) override {
    note("caller " + std::to_string(id) + " " + std::string{text});
  }
  void on_interruption(std::int64_t id) override { note("interruption " + std::to_string(id)); }
  void on_tool_call(gateway::ToolCall const& call) override {
    note("tool " + call.id + " " + call.name + " " + call.parameters_json);
    if (when_tool) when_tool(call);
  }
  void on_agent_hangs_up() override { note("hangs up"); }
  void on_queue(gateway::QueueState state) override {
    note(state == gateway::QueueState::waiting ? "queue waiting" : "queue admitted");
    if (when_queue) when_queue(state);
  }

  std::function<void()> when_ready;
  std::function<void(gateway::ToolCall const&)> when_tool;
  std::function<void(gateway::QueueState)> when_queue;
  std::vector<std::string> lines;

 private:
  void note(std::string line) { lines.push_back(std::move(line)); }
};

inline constexpr std::string_view metadata =
    R"({"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":{"conversation_id":"conv_1",)"
    R"("agent_output_audio_format":"ulaw_8000","user_input_audio_format":"ulaw_8000"}})";

/// Base class of the session tests: server, provider and leg on one thread.
class AgentScene : public ::testing::Test {
 protected:
  AgentScene()
      : tasks_{context_.get_executor(),
               [](std::string const& what) { ADD_FAILURE() << "a script crashed: " << what; }} {
    router_.on("GET", "/v1/convai/conversation/get-signed-url",
               [this](net::Request question) -> base::Async<net::Response> {
                 questions.push_back(std::move(question));
                 auto response = signed_url ? signed_url() : signed_url_to_here();
                 if (hold_signed_url) co_await hold_signed_url->wait();
                 co_return response;
               });
    router_.on_upgrade("/v1/convai/conversation",
                       [this](net::PendingUpgrade upgrade) { return serve(std::move(upgrade)); });
    server_.emplace(context_.get_executor(), system_time_, base::Log::silent(), metrics, router_);
    port = server_->listen("127.0.0.1", 0);
    tasks_.spawn(server_->serve());
    settings.api_base_url = "http://127.0.0.1:" + std::to_string(port);
    settings.retry_pause = 1ms;
  }

  void TearDown() override {
    if (started_ && !ended) {
      stop.emit(asio::cancellation_type::terminal);
      wait_for_end();
    }
    leg.reset();
    server_->stop();
    run_until(server_->drain(0s));
    run_until(tasks_.drain(system_time_, 0s));
  }

  net::Response signed_url_to_here() const {
    return net::Response::json(200, R"({"signed_url":"ws://127.0.0.1:)" + std::to_string(port) +
                                        R"(/v1/convai/conversation?agent_id=agent_x&conversation_signature=sig)" +
                                        std::to_string(questions.size()) + "\"}");
  }

  /// Scripts of the first, second, … connection; later ones repeat the last.
  void agent(std::vector<Script> scripts) { scripts_ = &all_scripts_.emplace_back(std::move(scripts)); }

  void make_leg() {
    provider_ = std::make_unique<gateway::elevenlabs::Provider>(settings, http_, *tls_, *time, metrics, log);
    leg = provider_->make_leg(request);
  }

  /// Runs a whole conversation.
  AgentLegEnd converse() {
    make_leg();
    start();
    return wait_for_end();
  }
  void start() {
    started_ = true;
    asio::co_spawn(context_, leg->run(diary),
                   asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr crash, AgentLegEnd how) {
                     EXPECT_FALSE(crash) << "run() threw";
                     ended = std::move(how);
                   }));
  }
  AgentLegEnd wait_for_end() {
    EXPECT_TRUE(run_while([this] { return !ended; })) << "run() did not end";
    return ended.value_or(AgentLegEnd{});
  }
  /// Lets everything happen until `busy` says no, at most ten seconds.
  bool run_while(std::function<bool()> const& busy, std::chrono::seconds limit = 10s) {
    auto const deadline = std::chrono::steady_clock::now() + limit;
    while (busy() && std::chrono::steady_clock::now() < deadline) {
      context_.restart();
      context_.run_one_for(50ms);
    }
    return !busy();
  }
  void run_until(base::Async<> task) {
    bool done = false;
    asio::co_spawn(context_, std::move(task), [&](std::exception_ptr) { done = true; });
    EXPECT_TRUE(run_while([&] { return !done; })) << "a task did not end";
  }

  double counted(std::string const& name, base::Metrics::Labels labels) {
    labels.emplace("provider", "elevenlabs");
    return metrics.counter(name, "", labels).Value();
  }

  asio::io_context context_{1};
  base::SystemTime system_time_;
  ManualTime clock;
  base::TimeSource* time = &system_time_;
  base::Metrics metrics;
  base::Log log = base::Log::silent();
  net::Router router_;
  std::optional<net::HttpServer> server_;
  base::TaskGroup tasks_;
  net::HttpClient http_;
  std::shared_ptr<net::TlsClient> tls_ = net::make_tls_client();
  std::uint16_t port = 0;

  gateway::elevenlabs::Settings settings;
  gateway::AgentRequest request{.agent_id = "agent_x"};
  std::unique_ptr<gateway::elevenlabs::Provider> provider_;
  std::unique_ptr<gateway::AgentLeg> leg;
  Diary diary;
  std::optional<AgentLegEnd> ended;
  asio::cancellation_signal stop;

  std::function<net::Response()> signed_url;  // else signed_url_to_here()
  std::optional<Signal> hold_signed_url;
  std::optional<unsigned> refuse_upgrade;
  std::optional<Signal> hold_upgrade;
  std::optional<Signal> deaf_until;     // accepts, says its metadata, and reads nothing
  std::vector<net::Request> questions;  // get-signed-url requests
  std::vector<net::Request> upgrades;
  std::vector<net::WebSocketClosed> closes;  // how each connection ended, as the server saw it

 private:
  base::Async<> serve(net::PendingUpgrade upgrade) {
    upgrades.push_back(upgrade.request());
    if (hold_upgrade) co_await hold_upgrade->wait();
    if (refuse_upgrade) {
      co_await upgrade.refuse(net::Response::text(*refuse_upgrade, "no"));
      co_return;
    }
    net::WebSocketSettings wanted;
    wanted.max_queued_bytes = 32 * 1024 * 1024;
    auto socket = co_await upgrade.accept(wanted);
    if (!socket) co_return;
    Line line{**socket, co_await asio::this_coro::executor};
    if (deaf_until) {
      line.says(metadata);
      co_await deaf_until->wait();
      (*socket)->abort();
      co_await read(**socket, line);
      co_return;
    }
    auto const& script = scripts_->at(std::min(upgrades.size(), scripts_->size()) - 1);
    co_await (read(**socket, line) && script(line));
    closes.push_back(line.closed());
  }
  static base::Async<> read(net::WebSocket& socket, Line& line) {
    auto closed = co_await socket.run(line);
    line.on_end(std::move(closed));
  }

  std::list<std::vector<Script>> all_scripts_;  // a coroutine of an earlier one may still be at its end
  std::vector<Script>* scripts_ = nullptr;
  bool started_ = false;
};

}  // namespace test
