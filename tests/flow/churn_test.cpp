// Peers that die, callers that come and go: every call ends with a word for it, and nothing is left behind.
#include <cstdlib>

#include "gateway/call/ending.h"
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

constexpr std::size_t callers = 40;
constexpr double mebibyte = 1024.0 * 1024.0;

std::chrono::seconds churn_time() {
  auto const* text = std::getenv("SWITCHBOARD_TEST_LOAD_SECONDS");
  return std::chrono::seconds{text != nullptr ? std::max(1, std::atoi(text)) : 8};
}

class LeavesNothingBehind : public ProcessTest {
 protected:
  struct Level {
    double descriptors = 0;
    double memory = 0;
  };
  static Level level(ChildScene& scene) {
    // The carrier keeps some connections for its next requests.
    return {scene.metric("process_open_fds") - scene.metric("switchboard_http_connections_open"),
            scene.metric("process_resident_memory_bytes")};
  }
  static std::vector<PlacedCall> place_many(ChildScene& scene, CallPlan plan) {
    std::vector<PlacedCall> calls;
    for (std::size_t i = 0; i < callers; ++i) {
      plan.ring_for = milliseconds{20 + 5 * i};
      calls.push_back(scene.place(plan));
    }
    for (auto const& call : calls) EXPECT_TRUE(call.comes_to(EventKind::first_audio)) << scene.log();
    return calls;
  }
  /// As many calls as will be there later, so that what is kept for reuse is there already.
  static Level warmed_up(ChildScene& scene) {
    auto plan = scene.plan();
    plan.caller.hang_up_after = 2s;
    for (auto const& call : place_many(scene, plan)) call.result();
    EXPECT_TRUE(until([&] { return scene.metric("switchboard_calls_live") == 0; }));
    return level(scene);
  }
  static void expect_typed_end(ChildScene& scene, PlacedCall const& call, gateway::Ending ending) {
    auto const record = scene.ended_record(call.sid(), 60s);
    ASSERT_TRUE(record && crm::is_terminal(record->status)) << "the record is not closed\n" << scene.log();
    EXPECT_EQ(record->ending, to_string(ending));
    EXPECT_EQ(record->blame, blame(ending));
    EXPECT_EQ(count(*record, "ended"), 1U);
  }
  static void expect_level(ChildScene& scene, Level const& before) {
    EXPECT_TRUE(until([&] { return scene.metric("switchboard_calls_live") == 0; }, 40s));
    EXPECT_TRUE(until([&] { return level(scene).descriptors <= before.descriptors + 4; }, 20s))
        << level(scene).descriptors << " descriptors, " << before.descriptors << " before";
    auto const grown = level(scene).memory - before.memory;
    std::cout << "memory: " << before.memory / mebibyte << " MiB before, " << grown / mebibyte << " MiB more\n";
    if (!slowed) EXPECT_LE(grown, 4 * mebibyte);
  }
};

TEST_F(LeavesNothingBehind, when_the_agent_service_dies_in_the_middle_of_forty_calls) {
  ChildScene scene;
  scene.serve();
  scene.seed();
  auto const before = warmed_up(scene);
  auto plan = scene.plan();
  plan.say_per_character = 2ms;
  auto const calls = place_many(scene, plan);
  scene.sims.kill_agents();
  for (auto const& call : calls) call.result();
  for (auto const& call : calls) expect_typed_end(scene, call, gateway::Ending::took_voicemail);
  expect_level(scene, before);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(LeavesNothingBehind, when_the_carrier_dies_in_the_middle_of_forty_calls) {
  ChildScene scene;
  auto const door_to = [&](std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(scene.sims.open_door(port));
  };
  scene.set("PUBLIC_BASE_URL", door_to(scene.port));
  scene.set("TWILIO_API_BASE_URL", door_to(net::parse_url(scene.sims.carrier_url())->port_or_default()));
  scene.serve();
  scene.seed();
  auto const before = warmed_up(scene);
  auto const calls = place_many(scene, scene.plan());
  scene.sims.cut_doors();
  for (auto const& call : calls) expect_typed_end(scene, call, gateway::Ending::stream_lost);
  expect_level(scene, before);
  auto const live = scene.sims.with_agents([](sim::elevenlabs::ElevenLabsSim& sim) { return sim.live(); });
  EXPECT_EQ(live, 0U) << "conversations that nobody listens to go on, and cost money";
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(LeavesNothingBehind, when_hundreds_of_callers_hang_up_at_once) {
  // For long, calls of three seconds; for a short look, shorter ones, so that there are enough of them.
  bool const is_long = churn_time() >= 60s;
  ChildScene scene;
  scene.serve();
  scene.seed();
  auto plan = scene.plan();
  plan.ring_for = 10ms;
  plan.caller.hang_up_after = is_long ? 3s : 200ms;
  std::vector<PlacedCall> calls;
  auto const churn_for = [&](std::chrono::seconds length) {
    auto const end = std::chrono::steady_clock::now() + length;
    while (std::chrono::steady_clock::now() < end) {
      calls.push_back(scene.place(plan));
      if (calls.size() >= callers) calls[calls.size() - callers].result();
    }
    for (auto const& call : std::span{calls}.last(std::min(calls.size(), callers))) call.result();
    EXPECT_TRUE(until([&] { return scene.metric("switchboard_calls_live") == 0; }));
  };
  churn_for(churn_time() / 2);
  auto const before = level(scene);
  auto const first = calls.size();
  churn_for(churn_time() / 2);
  auto const after = level(scene);
  std::cout << calls.size() << " calls; memory " << before.memory / mebibyte << " MiB after " << first << ", "
            << after.memory / mebibyte << " MiB after all\n";
  EXPECT_GT(calls.size(), slowed ? 40U : 200U);
  EXPECT_LE(after.descriptors, before.descriptors + 4);
  if (!slowed) EXPECT_LE(after.memory, before.memory * (is_long ? 1.02 : 1.06));
  for (std::size_t i = 0; i < calls.size(); i += calls.size() / 20 + 1)
    expect_typed_end(scene, calls[i], gateway::Ending::caller_hung_up);
  EXPECT_EQ(scene.metric("switchboard_calls_ended_total"), static_cast<double>(calls.size()));
  auto const live = scene.sims.with_agents([](sim::elevenlabs::ElevenLabsSim& sim) { return sim.live(); });
  EXPECT_EQ(live, 0U);
  EXPECT_EQ(scene.stop(), 0);
}

}  // namespace
}  // namespace outside
