#include "tests/flow/scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "crm/store/calls.h"
#include "crm/store/phone_numbers.h"
#include "crm/store/tenants.h"
#include "crm/store/voice_agents.h"
#include "loadtest/sim/twilio/signature.h"
#include "media/mulaw.h"
#include "tests/crm/scene.h"

namespace flow {
namespace {

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  base::fill_random(raw);
  return base::to_hex(raw);
}

bool is_free(std::uint16_t port) {
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool const bound = ::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return bound;
}

/// PUBLIC_BASE_URL must name the port before anything listens. Below the range from which the kernel takes ports for
/// others.
std::uint16_t free_port() {
  std::random_device dice;
  for (int i = 0; i < 1000; ++i) {
    auto const port = static_cast<std::uint16_t>(10000 + dice() % 22000);
    if (is_free(port)) return port;
  }
  throw std::runtime_error{"no free port"};
}

/// A database with the schema, copied for each scene.
std::string make_database() {
  auto const& server = *test::SharedServer::get().server;
  static int count = 0;
  static bool const have_template = [&] {
    test::sql(server.conninfo(), "create database flow_template");
    crm::pg::migrate(server.conninfo() + " dbname=flow_template");
    return true;
  }();
  (void)have_template;
  auto const name = "flow_" + std::to_string(++count);
  test::sql(server.conninfo(), "create database " + name + " template flow_template");
  return server.conninfo() + " dbname=" + name;
}

config::Settings default_settings() {
  config::Settings settings;
  settings.http.address = "127.0.0.1";
  settings.ops.port = 0;
  settings.cores = 2;
  settings.media.agent_wait = 2s;
  settings.media.dead_air_after = 2s;
  settings.media.preauth_timeout = 2s;
  settings.limits.max_lag = 10s;  // tests share the machine: what their loops are late says nothing of the program
  return settings;
}

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error{"database: " + result.error().detail};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

// ---- a placed call

std::string PlacedCall::sid() const {
  std::unique_lock lock{story_->mutex};
  story_->news.wait_for(lock, 10s, [this] { return !story_->sid.empty(); });
  return story_->sid;
}

Seen PlacedCall::until(EventKind kind, std::size_t nth, milliseconds patience) const {
  std::unique_lock lock{story_->mutex};
  std::optional<Seen> found;
  auto const look = [&] {
    std::size_t count = 0;
    for (auto const& seen : story_->seen) {
      if (seen.event.kind != kind || ++count < nth) continue;
      found = seen;
      return true;
    }
    return false;
  };
  if (story_->news.wait_for(lock, patience, look)) return *found;
  std::string told = "the caller never saw: " + std::string{to_string(kind)} + "; but";
  for (auto const& seen : story_->seen) told += "\n" + to_line(seen.event);
  throw std::runtime_error{told};
}

CallResult const& PlacedCall::result(milliseconds patience) const {
  std::unique_lock lock{story_->mutex};
  auto const over = [this] { return story_->result.has_value() || story_->failure; };
  if (!story_->news.wait_for(lock, patience, over)) throw std::runtime_error{"the call does not end"};
  if (story_->failure) std::rethrow_exception(story_->failure);
  return *story_->result;
}

std::vector<Seen> PlacedCall::seen(EventKind kind) const {
  std::unique_lock const lock{story_->mutex};
  std::vector<Seen> found;
  std::ranges::copy_if(story_->seen, std::back_inserter(found),
                       [kind](Seen const& seen) { return seen.event.kind == kind; });
  return found;
}

// ---- setting the stage

std::string Scene::missing() {
  return test::SharedServer::get().missing;
}

Scene::Scene(Tune const& tune) : conninfo_{make_database()}, settings_{default_settings()} {
  folder_ = test::SharedServer::get().folder.path() / ("scene-" + random_hex(4));
  std::filesystem::create_directories(folder_);
  account_.sid = "AC" + random_hex(16);
  account_.auth_token = base::Secret{random_hex(16)};
  api_key_ = "sk_" + random_hex(12);
  if (tune) tune(settings_);
  found_tenant();
}

Scene::~Scene() {
  try {
    close();
  } catch (std::exception const& error) {
    ADD_FAILURE() << error.what();
  }
}

void Scene::found_tenant(std::function<void(crm::Tenant&)> const& tune) {
  crm::Tenant tenant;
  tenant.id = base::TenantId{base::new_id("ten")};
  tenant.name = "Acme Dental";
  tenant.max_concurrent_calls = 10'000;
  if (tune) tune(tenant);
  tenants_.push_back(std::move(tenant));
}

std::string Scene::hire(Agent agent, std::function<void(crm::VoiceAgent&)> const& tune) {
  auto const ordinal = hired_.size() + 1;
  if (agent.id.empty()) agent.id = "agent_" + std::to_string(ordinal);
  agent.auth = true;
  if (agent.otherwise.text.empty()) {
    Turn nothing;
    nothing.repeat = true;
    agent.turns.push_back(std::move(nothing));
  }
  crm::VoiceAgent serves;
  serves.id = base::AgentId{base::new_id("va")};
  serves.tenant = tenants_.back().id;
  serves.name = agent.id;
  serves.elevenlabs_agent_id = agent.id;
  if (tune) tune(serves);
  auto const number = "+1555000" + std::to_string(1000 + ordinal);
  hired_.push_back({number, std::move(agent), std::move(serves)});
  return number;
}

void Scene::seed() {
  crm::Database const database{conninfo_, nullptr};
  auto const work = [this](crm::pg::Pool& pool, base::Instant deadline) -> base::Async<base::Result<>> {
    auto session = pool.until(deadline);
    for (auto const& tenant : tenants_) {
      auto stored = co_await crm::insert_tenant(session, tenant);
      if (!stored) co_return stored;
    }
    for (auto const& hired : hired_) {
      auto stored = co_await crm::insert_agent(session, hired.serves);
      if (!stored) co_return stored;
      crm::PhoneNumber phone{crm::NumberId{base::new_id("num")}, hired.serves.tenant, hired.number, hired.serves.id};
      stored = co_await crm::insert_number(session, std::move(phone));
      if (!stored) co_return stored;
    }
    co_return base::Result<>{};
  };
  must(crm::run_blocking(database, work));
}

void Scene::start_simulators() {
  ElevenLabsSim::Options options;
  options.scenario.api_keys = {api_key_};
  options.scenario.agents.clear();
  for (auto const& hired : hired_) options.scenario.agents.push_back(hired.acts);
  agents_ = std::make_unique<ElevenLabsSim>(agents_loop_.get_executor(), time_, std::move(options));
  agents_->listen(0);
  sim::twilio::TwilioSimSettings settings;
  settings.account = account_;
  carrier_ =
      std::make_unique<sim::twilio::TwilioSim>(carrier_loop_.get_executor(), base::Log::silent(), std::move(settings));
  carrier_->listen("127.0.0.1", 0);
  threads_.emplace_back([this] {
    asio::co_spawn(agents_loop_, agents_->serve(), [](std::exception_ptr) {});
    auto const work = asio::make_work_guard(agents_loop_);
    agents_loop_.run();
  });
  threads_.emplace_back([this] {
    asio::co_spawn(carrier_loop_, carrier_->serve(), [](std::exception_ptr) {});
    auto const work = asio::make_work_guard(carrier_loop_);
    carrier_loop_.run();
  });
}

void Scene::open() {
  seed();
  start_simulators();
  settings_.http.port = free_port();
  base_url_ = "http://127.0.0.1:" + std::to_string(settings_.http.port);
  settings_.http.public_base_url = base_url_;
  settings_.data_dir = folder_;
  settings_.recording.directory = folder_ / "recordings";
  settings_.database_url = base::Secret{conninfo_};
  settings_.twilio.account_sid = account_.sid;
  settings_.twilio.auth_token = account_.auth_token;
  settings_.twilio.api_base_url = carrier_->base_url();
  settings_.elevenlabs.api_key = base::Secret{api_key_};
  if (settings_.elevenlabs.api_base_url == config::ElevenLabs{}.api_base_url)
    settings_.elevenlabs.api_base_url = agents_->base_url();
  auto const log = base::Log::to_file((folder_ / "gateway.log").string(), base::LogLevel::info);
  process_ = std::make_unique<gateway::Process>(settings_, log);
  auto const addresses = process_->start();
  ops_port_ = addresses.ops_port;
  open_ = true;
}

void Scene::close() {
  if (open_) {
    open_ = false;
    EXPECT_TRUE(process_->stop(1s)) << "records were not written";
    EXPECT_EQ(process_->live_calls(), 0U);
    EXPECT_TRUE(until([this] { return with_agents([](ElevenLabsSim& sim) { return sim.live() == 0; }); }, 5s))
        << "the gateway has stopped, but conversations go on";
    check_conversations();
    check_log();
  }
  if (threads_.empty()) return;
  auto const end_agents = [this]() -> base::Async<> {
    agents_->stop();
    co_await agents_->drain(200ms);
  };
  auto const end_carrier = [this]() -> base::Async<> {
    carrier_->stop();
    co_await carrier_->drain(200ms);
  };
  asio::co_spawn(agents_loop_, end_agents(), asio::use_future).get();
  asio::co_spawn(carrier_loop_, end_carrier(), asio::use_future).get();
  agents_loop_.stop();
  carrier_loop_.stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  process_.reset();
}

void Scene::check_conversations() {
  if (!polite_) return;
  with_agents([](ElevenLabsSim& sim) {
    for (auto const& conversation : sim.conversations())
      EXPECT_EQ(conversation->violations(), 0U) << conversation->explain();
    return 0;
  });
}

void Scene::check_log() {
  auto const text = log();
  EXPECT_NE(text.find("\"ready\""), std::string::npos) << "the log cannot be read";
  EXPECT_EQ(text.find(std::string{account_.auth_token.reveal()}), std::string::npos) << "the auth token was logged";
  EXPECT_EQ(text.find(api_key_), std::string::npos) << "the API key was logged";
  EXPECT_EQ(text.find("+1555000"), std::string::npos) << "a dialled number was logged";
  EXPECT_EQ(text.find("4155550100"), std::string::npos) << "the caller's number was logged";
  EXPECT_EQ(text.find("crashed"), std::string::npos) << text.substr(text.rfind('\n', text.find("crashed")) + 1, 300);
}

std::string Scene::log() {
  std::ifstream file{folder_ / "gateway.log"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// ---- what happens on it

CallPlan Scene::plan(std::string const& number) const {
  CallPlan plan;
  plan.to = number;
  plan.voice_url = base_url_ + "/api/twilio/voice-callback";
  plan.fallback_url = base_url_ + "/api/twilio/voice-fallback";
  plan.status_callback = base_url_ + "/api/twilio/status-callback";
  plan.allow_plain_loopback = true;
  plan.ring_for = 20ms;
  plan.say_per_character = 5ms;
  plan.record_speaks_for = 300ms;
  plan.callee.ring_for = 100ms;
  plan.callee.talk_for = 300ms;
  plan.caller.hang_up_after = 30s;
  return plan;
}

PlacedCall Scene::place(CallPlan plan) {
  PlacedCall call;
  auto const listener = [story = call.story_](std::string const& sid, sim::twilio::Event const& event) {
    std::lock_guard const lock{story->mutex};
    story->sid = sid;
    story->seen.push_back({event, base::TimeSource::Clock::now()});
    story->news.notify_all();
  };
  auto const ended = [story = call.story_](std::exception_ptr failure, CallResult result) {
    std::lock_guard const lock{story->mutex};
    story->failure = failure;
    story->result = std::move(result);
    story->news.notify_all();
  };
  asio::co_spawn(carrier_loop_, carrier_->place_call(std::move(plan), listener), ended);
  return call;
}

void Scene::hang_up(PlacedCall const& call) {
  with_carrier([sid = call.sid()](sim::twilio::TwilioSim& sim) {
    auto const entry = sim.calls().find(sid);
    if (entry && entry->live) entry->live->hang_up();
    return 0;
  });
}

std::optional<crm::CallRecord> Scene::record_now(std::string const& call_sid) {
  crm::Database const database{conninfo_, nullptr};
  auto const work = [&call_sid](crm::pg::Pool& pool,
                                base::Instant deadline) -> base::Async<base::Result<std::optional<crm::CallRecord>>> {
    auto session = pool.until(deadline);
    auto found = co_await crm::find_call(session, call_sid);
    co_return found;
  };
  return must(crm::run_blocking(database, work));
}

crm::CallRecord Scene::record(std::string const& call_sid) {
  std::optional<crm::CallRecord> found;
  bool const written = until(
      [&] {
        found = record_now(call_sid);
        return found && crm::is_terminal(found->status);
      },
      20s);
  if (!found) throw std::runtime_error{"the call has no record"};
  EXPECT_TRUE(written) << "the record has no terminal state";
  return *found;
}

std::string Scene::value(std::string const& statement) {
  return test::sql(conninfo_, statement);
}

std::size_t Scene::records() {
  return std::stoul(test::sql(conninfo_, "select count(*) from calls"));
}

std::vector<ConversationRecord> Scene::conversations(std::string const& number) {
  auto const hired = std::ranges::find(hired_, number, &Hired::number);
  return with_agents([&](ElevenLabsSim& sim) {
    std::vector<ConversationRecord> found;
    for (auto const& conversation : sim.conversations())
      if (conversation->agent_id == hired->acts.id) found.push_back(*conversation);
    return found;
  });
}

std::vector<ConversationRecord> Scene::conversations_of_call(std::string const& call_sid) {
  return with_agents([&](ElevenLabsSim& sim) {
    std::vector<ConversationRecord> found;
    for (auto const& conversation : sim.conversations()) {
      auto const told = conversation->variables.find("call_sid");
      if (told != conversation->variables.end() && told->second == call_sid) found.push_back(*conversation);
    }
    return found;
  });
}

bool Scene::agent_comes_to(std::string const& number, std::function<bool(ConversationRecord const&)> condition,
                           milliseconds patience) {
  auto const hired = std::ranges::find(hired_, number, &Hired::number);
  auto const look = [&] {
    auto const& all = agents_->conversations();
    auto const newest =
        std::find_if(all.rbegin(), all.rend(), [&](auto const& one) { return one->agent_id == hired->acts.id; });
    return newest != all.rend() && condition(**newest);
  };
  return asio::co_spawn(agents_loop_, agents_->until(look, patience), asio::use_future).get();
}

void Scene::change(std::string const& number, std::function<void(Agent&)> how) {
  auto const hired = std::ranges::find(hired_, number, &Hired::number);
  with_agents([&](ElevenLabsSim& sim) {
    how(sim.agent(hired->acts.id));
    return 0;
  });
}

std::string Scene::sign(std::string_view url, net::Form const& form) const {
  return sim::twilio::sign(account_.auth_token.reveal(), url, form);
}

net::Response Scene::send(net::HttpCall call) {
  auto answer = run(http_.send(std::move(call)));
  if (!answer) throw std::runtime_error{"the gateway did not answer: " + answer.error().detail};
  return std::move(*answer);
}

net::Response Scene::post(std::string const& target, net::Form const& form, Signing signing) {
  net::HttpCall call;
  call.method = "POST";
  call.url = base_url_ + target;
  call.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
  auto const token = signing == Signing::wrong_token ? std::string(32, 'f') : std::string{account_.auth_token.reveal()};
  if (signing != Signing::none) call.headers.add("X-Twilio-Signature", sim::twilio::sign(token, call.url, form));
  call.body = net::encode_form(form);
  return send(std::move(call));
}

net::Form Scene::voice_form(std::string const& call_sid, std::string const& to) const {
  return {{"AccountSid", account_.sid},
          {"ApiVersion", "2010-04-01"},
          {"CallSid", call_sid},
          {"CallStatus", "ringing"},
          {"Direction", "inbound"},
          {"From", "+14155550100"},
          {"To", to}};
}

double Scene::metric(std::string_view name) {
  net::HttpCall call;
  call.url = "http://127.0.0.1:" + std::to_string(ops_port_) + "/metrics";
  auto const text = send(std::move(call)).body;
  double sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const end = std::min(text.find('\n', at), text.size());
    auto const line = std::string_view{text}.substr(at, end - at);
    if (line.starts_with(name)) sum += std::stod(std::string{line.substr(line.rfind(' ') + 1)});
    at = end + 1;
  }
  return sum;
}

bool Scene::until(std::function<bool()> const& condition, milliseconds patience) {
  auto const deadline = time_.now() + patience;
  asio::io_context loop{1};
  while (!condition()) {
    if (time_.now() >= deadline) return false;
    asio::steady_timer pause{loop, 5ms};
    pause.wait();
  }
  return true;
}

// ---- people

std::filesystem::path recording(std::size_t which) {
  static constexpr char const* names[] = {"Front_Center", "Front_Left", "Front_Right", "Rear_Center",
                                          "Rear_Left",    "Rear_Right", "Side_Left",   "Side_Right"};
  return std::filesystem::path{"/usr/share/sounds/alsa"} / (std::string{names[which % std::size(names)]} + ".wav");
}

Mulaw speech(milliseconds length) {
  auto const wanted = static_cast<std::size_t>(length.count()) * media::telephone_rate / 1000;
  Mulaw all;
  for (std::size_t i = 0; all.size() < wanted; ++i) {
    auto one = sim::twilio::load_speech(recording(i));
    if (!one) throw std::runtime_error{"no recording of speech: " + one.error().detail};
    all.insert(all.end(), one->begin(), one->end());
  }
  return all;
}

Say words(std::string text) {
  return {std::move(text), {}};
}

Say words(std::string text, milliseconds length) {
  return {std::move(text), {AudioSource::Kind::voice, {}, length}};
}

Say voiced(std::string text, std::size_t which_recording, milliseconds length) {
  return {std::move(text), {AudioSource::Kind::wav, recording(which_recording).filename().string(), length}};
}

Agent agent_saying(Say first) {
  Agent agent;
  agent.client_events = sim::elevenlabs::default_client_events();
  agent.first_message = std::move(first);
  agent.otherwise = {};
  agent.behaviour.turn_timeout_ms = 0;
  return agent;
}

Turn answer(std::vector<sim::elevenlabs::Step> reply) {
  Turn turn;
  turn.heard = "What the caller said.";
  turn.reply = std::move(reply);
  return turn;
}

std::optional<std::size_t> position(std::span<std::uint8_t const> part, std::span<std::uint8_t const> whole) {
  auto const found = std::search(whole.begin(), whole.end(), part.begin(), part.end());
  if (found == whole.end() && !part.empty()) return std::nullopt;
  return static_cast<std::size_t>(found - whole.begin());
}

std::vector<std::int16_t> linear(std::span<std::uint8_t const> mulaw) {
  std::vector<std::int16_t> samples(mulaw.size());
  media::mulaw_to_linear(mulaw, samples);
  return samples;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace flow
