#include "tests/flow/simulators.h"

#include <stdexcept>

#include "gateway/base/ids.h"

namespace outside {
namespace {

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  base::fill_random(raw);
  return base::to_hex(raw);
}

sim::twilio::Account new_account() {
  sim::twilio::Account account;
  account.sid = "AC" + random_hex(16);
  account.auth_token = base::Secret{random_hex(16)};
  return account;
}

sim::elevenlabs::ElevenLabsSim::Options agent_options(std::string const& api_key, Encryption const& tls) {
  sim::elevenlabs::Agent agent;
  agent.id = agent_id;
  agent.name = "Front desk";
  agent.auth = true;
  agent.client_events = sim::elevenlabs::default_client_events();
  agent.first_message = sim::elevenlabs::Say{"Thank you for calling.", {}};
  agent.otherwise = sim::elevenlabs::Say{"We open at eight.", {}};
  sim::elevenlabs::ElevenLabsSim::Options options;
  options.certificate = tls.agents.chain;
  options.key = tls.agents.key;
  options.scenario.api_keys = {api_key};
  options.scenario.agents = {std::move(agent)};
  return options;
}

sim::twilio::TwilioSimSettings carrier_settings(sim::twilio::Account account, Encryption const& tls) {
  sim::twilio::TwilioSimSettings settings;
  settings.account = std::move(account);
  settings.authority = tls.authority;
  return settings;
}

}  // namespace

bool PlacedCall::comes_to(EventKind kind, std::size_t nth, milliseconds patience) const {
  std::unique_lock lock{story_->mutex};
  return story_->news.wait_for(lock, patience,
                               [&] { return static_cast<std::size_t>(std::ranges::count(story_->seen, kind)) >= nth; });
}

std::string PlacedCall::sid() const {
  std::unique_lock lock{story_->mutex};
  story_->news.wait_for(lock, 10s, [&] { return !story_->sid.empty(); });
  return story_->sid;
}

CallResult const& PlacedCall::result(milliseconds patience) const {
  std::unique_lock lock{story_->mutex};
  if (!story_->news.wait_for(lock, patience, [&] { return story_->result.has_value(); }))
    throw std::runtime_error{"the call does not end"};
  return *story_->result;
}

Simulators::Simulators(Encryption const& tls)
    : account_{new_account()},
      api_key_{"sk_test_" + random_hex(12)},
      agents_{loop_.get_executor(), time_, agent_options(api_key_, tls)},
      carrier_{loop_.get_executor(), base::Log::silent(), carrier_settings(account_, tls)} {
  agents_.listen(0);
  carrier_.listen("127.0.0.1", 0);
  thread_ = std::thread{[this] {
    auto const work = asio::make_work_guard(loop_);
    asio::co_spawn(loop_, agents_.serve(), [](std::exception_ptr) {});
    asio::co_spawn(loop_, carrier_.serve(), [](std::exception_ptr) {});
    loop_.run();
  }};
}

Simulators::~Simulators() {
  auto const end = [this]() -> base::Async<> {
    carrier_.stop();
    agents_.stop();
    co_await carrier_.drain(200ms);
    co_await agents_.drain(200ms);
    for (auto const& door : doors_) co_await door->close(time_);
  };
  asio::co_spawn(loop_, end(), asio::use_future).get();
  loop_.stop();
  thread_.join();
}

PlacedCall Simulators::place(CallPlan plan) {
  PlacedCall placed;
  asio::co_spawn(loop_, run_call(std::move(plan), placed.story_), [](std::exception_ptr) {});
  return placed;
}

base::Async<> Simulators::run_call(CallPlan plan, std::shared_ptr<PlacedCall::Story> story) {
  auto const note = [story](std::string const& sid, sim::twilio::Event const& event) {
    std::scoped_lock const lock{story->mutex};
    story->sid = sid;
    story->seen.push_back(event.kind);
    story->news.notify_all();
  };
  auto result = co_await carrier_.place_call(std::move(plan), note);
  std::scoped_lock const lock{story->mutex};
  story->result = std::move(result);
  story->news.notify_all();
}

void Simulators::hang_up(PlacedCall const& call) {
  auto const there = [this, sid = call.sid()]() -> base::Async<> {
    auto const entry = carrier_.calls().find(sid);
    if (entry && entry->live != nullptr) entry->live->hang_up();
    co_return;
  };
  asio::co_spawn(loop_, there(), asio::use_future).get();
}

void Simulators::greet_with(std::string text) {
  with_agents([&text](sim::elevenlabs::ElevenLabsSim& agents) {
    agents.agent(agent_id).first_message = sim::elevenlabs::Say{text, {}};
    return true;
  });
}

void Simulators::reply_with(std::vector<sim::elevenlabs::Step> steps) {
  with_agents([&steps](sim::elevenlabs::ElevenLabsSim& agents) {
    agents.agent(agent_id).turns = {sim::elevenlabs::Turn{.reply = std::move(steps)}};
    return true;
  });
}

std::uint16_t Simulators::open_door(std::uint16_t inner) {
  auto const there = [this, inner]() -> base::Async<std::uint16_t> {
    auto& door = *doors_.emplace_back(std::make_unique<Door>(loop_.get_executor(), inner));
    asio::co_spawn(loop_, door.serve(), [](std::exception_ptr) {});
    co_return door.port();
  };
  return asio::co_spawn(loop_, there(), asio::use_future).get();
}

void Simulators::hold_doors(bool held) {
  auto const there = [this, held]() -> base::Async<> {
    for (auto const& door : doors_) door->hold(held);
    co_return;
  };
  asio::co_spawn(loop_, there(), asio::use_future).get();
}

void Simulators::cut_doors() {
  auto const there = [this]() -> base::Async<> {
    for (auto const& door : doors_) door->cut();
    co_return;
  };
  asio::co_spawn(loop_, there(), asio::use_future).get();
}

void Simulators::kill_agents() {
  auto const there = [this]() -> base::Async<> {
    agents_.stop();
    co_await agents_.drain(0ms);
  };
  asio::co_spawn(loop_, there(), asio::use_future).get();
}

net::Response Simulators::get(std::string const& url) {
  net::HttpCall call;
  call.url = url;
  auto const answer = asio::co_spawn(loop_, http_.send(std::move(call)), asio::use_future).get();
  return answer ? *answer : net::Response::empty(0);
}

}  // namespace outside
