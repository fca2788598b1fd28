#include "loadtest/sim/elevenlabs/sim.h"

#include <boost/asio/steady_timer.hpp>
#include <stdexcept>

#include "gateway/base/ids.h"
#include "gateway/net/form.h"

namespace sim::elevenlabs {
namespace {

using namespace asio::experimental::awaitable_operators;

net::WebSocketSettings socket_settings() {
  net::WebSocketSettings settings;
  settings.max_message_bytes = 16 * 1024 * 1024;
  settings.max_queued_bytes = 256 * 1024 * 1024;  // a slow reader is the client's trouble, up to a point
  settings.write_timeout = std::chrono::seconds{60};
  return settings;
}

/// The service knows one sub-protocol and works without it, too.
std::string chosen_subprotocol(net::Request const& request) {
  auto const offered = request.headers.find("sec-websocket-protocol");
  return offered.find("convai") == std::string_view::npos ? "" : "convai";
}

std::unique_ptr<net::TlsServer> tls_of(ElevenLabsSim::Options const& options) {
  if (options.certificate.empty()) return nullptr;
  return std::make_unique<net::TlsServer>(options.certificate, options.key);
}

struct Deaf final : net::WebSocketSink {
  void on_text(std::string_view) override {}
};

}  // namespace

ElevenLabsSim::ElevenLabsSim(asio::any_io_executor executor, base::TimeSource& time, Options options)
    : executor_{executor},
      time_{time},
      options_{std::move(options)},
      platform_{time, options_.scenario},
      speech_{options_.scenario.folder},
      dice_{options_.seed},
      tls_{tls_of(options_)},
      changed_{executor},
      rest_{time, platform_},
      server_{executor, time, options_.log, metrics_, router_, {}, tls_.get()} {
  platform_.is_secure = tls_ != nullptr;
  for (auto const& agent : platform_.scenario.agents) speech_.prepare(agent);
  rest_.add_routes(router_);
  router_.on_upgrade("/v1/convai/conversation",
                     [this](net::PendingUpgrade upgrade) { return converse(std::move(upgrade)); });
}

std::uint16_t ElevenLabsSim::listen(std::uint16_t port) {
  port_ = server_.listen("127.0.0.1", port);
  return port_;
}

base::Async<> ElevenLabsSim::serve() {
  return server_.serve();
}
void ElevenLabsSim::stop() {
  stopping_ = true;
  server_.stop();
}

base::Async<> ElevenLabsSim::drain(base::TimeSource::Clock::duration grace) {
  return server_.drain(grace);
}

std::string ElevenLabsSim::base_url() const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::string ElevenLabsSim::socket_url(std::string_view agent_id) const {
  return (tls_ ? "wss://127.0.0.1:" : "ws://127.0.0.1:") + std::to_string(port_) +
         "/v1/convai/conversation?agent_id=" + net::percent_encode(agent_id);
}

Agent& ElevenLabsSim::agent(std::string_view id) {
  for (auto& agent : platform_.scenario.agents)
    if (agent.id == id) return agent;
  throw std::out_of_range{"no agent " + std::string{id}};
}

ConversationRecord const* ElevenLabsSim::newest() const {
  return platform_.conversations.empty() ? nullptr : platform_.conversations.back().get();
}

bool ElevenLabsSim::perform(std::string const& conversation_id, std::vector<Step> steps) {
  auto const it = live_.find(conversation_id);
  if (it == live_.end()) return false;
  it->second->perform(std::move(steps));
  return true;
}

base::Async<bool> ElevenLabsSim::until(std::function<bool()> condition, std::chrono::milliseconds limit) {
  asio::steady_timer guard{executor_, limit};
  while (!condition()) {
    if (guard.expiry() <= std::chrono::steady_clock::now()) co_return false;
    (void)co_await (changed_.wait() || guard.async_wait(base::quietly));
  }
  co_return true;
}

base::Async<> ElevenLabsSim::converse(net::PendingUpgrade upgrade) {
  auto const request = upgrade.request();
  auto const door = platform_.knock(request);
  Agent agent;
  if (door.agent) agent = *door.agent;
  auto const query = net::decode_form(request.query()).value_or(net::Form{});
  for (auto const& [name, value] : query)
    if (name.starts_with("sim_")) (void)set_behaviour(agent.behaviour, name.substr(4), value);
  if (agent.behaviour.accept_delay_ms > 0) {
    auto waited = co_await time_.wait(Milliseconds{agent.behaviour.accept_delay_ms});
    if (!waited) co_return;
  }
  if (agent.behaviour.refuse_upgrade > 0) {
    auto const status = static_cast<unsigned>(agent.behaviour.refuse_upgrade);
    auto answer = rest_error(status, "upgrade_refused", "injected by the simulator", RestFault::Shape::legacy);
    co_await upgrade.refuse(std::move(answer));
    co_return;
  }
  auto const subprotocol = chosen_subprotocol(request);
  if (!door.refusal.empty()) {
    co_await turn_away(upgrade, agent.behaviour, door.refusal, subprotocol);
    co_return;
  }
  auto socket = co_await upgrade.accept(socket_settings(), subprotocol);
  if (!socket) co_return;
  if (door.authorization == "signed_url") {
    if (!agent.signed_output_format.empty()) agent.output_format = agent.signed_output_format;
    if (!agent.signed_input_format.empty()) agent.input_format = agent.signed_input_format;
  }
  auto& record = new_record(request, agent, door.authorization);
  Stage stage{time_, speech_, dice_, changed_, stopping_, options_.keep_audio, options_.on_event};
  Conversation conversation{executor_, std::move(stage), std::move(agent), record};
  auto const id = record.id;
  live_.emplace(id, &conversation);
  co_await conversation.run(**socket);
  live_.erase(id);
  forget_old();
  changed_.ring();
}

base::Async<> ElevenLabsSim::turn_away(net::PendingUpgrade& upgrade, Behaviour const& ways, std::string refusal,
                                       std::string subprotocol) {
  if (ways.reject_with < 1000) {
    auto const status = static_cast<unsigned>(ways.reject_with);
    auto answer = rest_error(status, "unauthorized", refusal, RestFault::Shape::legacy);
    co_await upgrade.refuse(std::move(answer));
    co_return;
  }
  auto socket = co_await upgrade.accept(socket_settings(), std::move(subprotocol));
  if (!socket) co_return;
  Deaf nobody;
  auto const code = static_cast<std::uint16_t>(ways.reject_with);
  (void)co_await ((*socket)->run(nobody) && (*socket)->close(code, std::move(refusal)));
}

ConversationRecord& ElevenLabsSim::new_record(net::Request const& request, Agent const& agent,
                                              std::string authorization) {
  auto record = std::make_unique<ConversationRecord>();
  record->id = base::new_id("conv");
  record->agent_id = agent.id;
  record->authorization = std::move(authorization);
  record->target = request.target;
  // Names in a scenario are checked when it is read; one set by a test is checked here.
  record->output = media::parse_format(agent.output_format).value_or(media::telephone);
  record->input = media::parse_format(agent.input_format).value_or(media::telephone);
  record->started = time_.now();
  record->started_wall = time_.wall();
  platform_.conversations.push_back(std::move(record));
  return *platform_.conversations.back();
}

void ElevenLabsSim::forget_old() {
  auto& all = platform_.conversations;
  while (all.size() > options_.keep_conversations && all.front()->ended) all.pop_front();
}

}  // namespace sim::elevenlabs
