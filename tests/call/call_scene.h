#pragma once
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "gateway/call/calls.h"
#include "tests/call/fake_agent.h"
#include "tests/call/fake_carrier.h"
#include "tests/call/fake_desk.h"
#include "tests/support/manual_time.h"

namespace test {

using std::chrono::seconds;

/// A real call between a carrier, an agent and a record keeper that do what the test says; time moves by hand.
class CallScene {
 public:
  CallScene() {
    auto route = std::make_shared<crm::NumberRoute>();
    route->number = "+15550001111";
    route->tenant = base::TenantId{"ten_1"};
    route->tenant_name = "Acme Dental";
    route->tenant_timezone = "America/New_York";
    route->max_concurrent_calls = 10;
    route->agent.id = base::AgentId{"va_1"};
    route->agent.tenant = route->tenant;
    route->agent.elevenlabs_agent_id = "agent_1";
    plan.id = base::CallId{"call_1"};
    plan.sid = base::CallSid{"CA00000000000000000000000000000001"};
    plan.account = base::AccountSid{"AC00000000000000000000000000000001"};
    plan.from = "+15550002222";
    plan.to = route->number;
    plan_agent = &route->agent;
    plan_route = route.get();
    plan.route = std::move(route);
    // An obedient carrier: it hangs up when told, ends the stream and reports.
    carrier.on_hang_up = [this] { carrier_hangs_up(); };
    carrier.on_transfer = [this] {
      if (stream) stream->ends(gateway::CallerLegEnd::stopped);
    };
    tasks.spawn(metronome.run());
    tasks.spawn(loop.run());
  }
  ~CallScene() {
    if (calls) {
      calls->hurry();
      tasks.spawn(calls->drain(milliseconds{0}));
      passes(seconds{60});
      EXPECT_EQ(calls->size(), 0U) << "a call did not end";
    }
    tasks.cancel_all();
    run();
    std::filesystem::remove_all(recording_directory());
  }
  static std::filesystem::path recording_directory() {
    return std::filesystem::temp_directory_path() / ("switchboard-call-test-" + std::to_string(::getpid()));
  }

  // ---- the carrier
  void begins() {
    gateway::CallServices services{time,    metronome,           agents,   carrier, records, recordings,
                                   metrics, base::Log::silent(), settings, {}};
    if (has_desk) services.desk = &desk;
    calls.emplace(context.get_executor(), std::move(services), capacity, loop);
    ASSERT_TRUE(calls->begin(plan));
    run();
  }
  void stream_starts() {
    tasks.spawn(serve_a_stream());
    run();
  }
  void starts() {
    begins();
    stream_starts();
  }
  void stream_ends(gateway::CallerLegEnd how) {
    if (stream) stream->ends(how);
    run();
  }
  void carrier_hangs_up() {
    if (stream) stream->ends(gateway::CallerLegEnd::stopped);
    carrier.facts = gateway::CarrierFacts{crm::CallStatus::completed, {}};
    status_due = true;
  }
  void status(crm::CallStatus what) {
    if (call()) call()->on_status(what, std::nullopt);
    run();
  }
  gateway::NextStep asks_for_the_next_step() {
    auto const next = call() ? call()->next_step() : gateway::NextStep{};
    run();
    return next;
  }
  /// The caller's voice in real time for as long; then silence goes on coming.
  void caller_speaks(milliseconds length) {
    for (auto left = length; left > milliseconds{0}; left -= media::frame_duration) {
      if (stream) stream->says(loud);
      passes(media::frame_duration);
    }
  }

  // ---- the agent
  FakeAgent& agent() {
    if (agents.newest) return *agents.newest;
    throw std::logic_error{"no agent is there"};
  }
  void agent_says(std::int64_t event_id, milliseconds length) {
    agent().says(event_id, length);
    run();
  }
  void agent_is_interrupted(std::int64_t event_id) {
    agent().events().on_interruption(event_id);
    run();
  }
  void agent_ends(gateway::AgentLegEnd::Kind kind) {
    agent().ends(kind);
    run();
  }
  void agent_calls(std::string name, std::string parameters = "{}", std::string id = "tool_1") {
    agent().events().on_tool_call({std::move(id), std::move(name), std::move(parameters)});
    run();
  }

  // ---- time
  void run() {
    context.restart();
    context.poll();
    stream = alive_.empty() ? nullptr : alive_.back();
    for (auto* const leg : alive_) {
      if (leg->is_running()) stream = leg;
    }
  }
  void passes(milliseconds length) {
    for (auto left = length; left > milliseconds{0}; left -= step) {
      time.advance(step);
      run();
      for (auto* const leg : std::vector{alive_}) leg->tick();
      run();
      if (std::exchange(status_due, false) && reports_status) status(crm::CallStatus::completed);
    }
  }

  // ---- what came of it
  gateway::Call* call() { return calls ? calls->find(plan.sid) : nullptr; }
  bool is_over() { return call() == nullptr; }
  StreamDiary& line() { return lines.back(); }
  AgentDiary& conversation() { return agents.diaries.back(); }
  crm::CallRecord const& record() const { return records.snapshots.back(); }
  std::string ending() const { return record().ending.value_or("none"); }
  std::vector<std::string> events() const {
    std::vector<std::string> kinds;
    for (auto const& event : record().events) kinds.push_back(event.kind);
    return kinds;
  }
  double counted(std::string const& name) const {
    auto const text = metrics_registry.expose();
    auto const at = text.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
  }

  static constexpr std::uint8_t loud = 0x10;
  static constexpr milliseconds step{10};
  static constexpr milliseconds max_lag{15};

  asio::io_context context{1};
  ManualTime time;
  base::Metrics metrics_registry;
  base::TaskGroup tasks{context.get_executor()};
  gateway::Metronome metronome{context.get_executor(), time};
  gateway::LoopWatch loop{time, metrics_registry, 0, max_lag};
  FakeAgents agents{context.get_executor(), time};
  FakeCarrier carrier{time};
  FakeRecords records;
  FakeDesk desk{time};
  bool has_desk = false;
  gateway::RecordingDesk recordings{recording_directory(), metrics_registry, base::Log::silent()};
  gateway::CallMetrics metrics{metrics_registry};
  gateway::CallSettings settings;
  gateway::Capacity capacity{100};
  gateway::CallPlan plan;
  crm::VoiceAgent* plan_agent = nullptr;
  crm::NumberRoute* plan_route = nullptr;
  FakeCaller::Manners manners;
  std::optional<gateway::Calls> calls;
  FakeCaller* stream = nullptr;  // the one being served, if any
  std::deque<StreamDiary> lines;
  std::vector<base::Result<>> served;
  bool reports_status = true;
  bool status_due = false;

 private:
  std::vector<FakeCaller*> alive_;

  base::Async<> serve_a_stream() {
    auto* const target = call();
    if (!target) co_return;
    auto leg = std::make_unique<FakeCaller>(context.get_executor(), time, lines.emplace_back(), manners);
    alive_.push_back(leg.get());
    auto const result = co_await target->serve(*leg);
    std::erase(alive_, leg.get());
    if (stream == leg.get()) stream = nullptr;
    leg.reset();
    served.push_back(result);
  }
};

}  // namespace test
