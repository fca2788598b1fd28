// Too many strangers, too few descriptors, too little time: calls go on, and callers are answered.
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>

#include "gateway/net/descriptors.h"
#include "tests/flow/child_scene.h"
#include "tests/flow/crowd.h"

namespace outside {
namespace {

constexpr char const* half_a_head = "POST /api/twilio/voice-callback HTTP/1.1\r\nHost: a\r\nX-Twilio-Signature: ";
constexpr char const* half_a_body =
    "POST /api/twilio/voice-callback HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nCallSid=";

std::size_t crowd_size() {
  auto const* text = std::getenv("SWITCHBOARD_TEST_SOCKETS");
  return text != nullptr ? static_cast<std::size_t>(std::max(3, std::atoi(text))) : 2'000;
}

class Overload : public ProcessTest {
 protected:
  /// A call that is being served.
  static PlacedCall talk(ChildScene& scene) {
    auto call = scene.place(scene.plan());
    EXPECT_TRUE(call.comes_to(EventKind::first_audio)) << scene.log();
    return call;
  }
  /// How a new caller fares.
  static void expect_answer(ChildScene& scene) {
    auto const call = talk(scene);
    EXPECT_TRUE(call.comes_to(EventKind::agent_silent));
    scene.sims.hang_up(call);
    expect_unbroken(call.result());
  }
  static void expect_end_of(ChildScene& scene, PlacedCall const& call) {
    EXPECT_TRUE(call.comes_to(EventKind::agent_silent));
    scene.sims.hang_up(call);
    expect_unbroken(call.result());
    auto const record = scene.ended_record(call.sid());
    ASSERT_TRUE(record);
    EXPECT_EQ(record->ending, "caller_hung_up");
  }
};

TEST_F(Overload, by_sockets_that_never_finish_a_request_costs_little_and_no_caller_notices) {
  auto const count = crowd_size();
  if (net::raise_descriptor_limit(count + 500) < count + 500) GTEST_SKIP() << "too few descriptors for this test";
  // All may stay, so that their memory is seen.
  ChildScene scene{{{"SWITCHBOARD_MAX_UNPROVEN", "20000"},
                    {"SWITCHBOARD_MAX_UNPROVEN_OF_ADDRESS", "20000"},
                    {"SWITCHBOARD_MAX_CALLS", "50"}}};
  scene.serve();
  scene.seed();
  expect_answer(scene);
  auto const live = talk(scene);
  auto const memory = scene.metric("process_resident_memory_bytes");

  Crowd crowd{scene.port};
  crowd.come(count / 3, "");
  crowd.come(count / 3, half_a_head);
  crowd.come(count - crowd.size(), half_a_body);
  EXPECT_TRUE(until([&] { return scene.metric("switchboard_unproven_connections") >= static_cast<double>(count); }))
      << scene.metric("switchboard_unproven_connections") << "\n"
      << scene.log();
  auto const grown = scene.metric("process_resident_memory_bytes") - memory;
  std::cout << grown / 1024 / static_cast<double>(count) << " KiB a socket\n";
  if (!slowed) EXPECT_LE(grown, 16.0 * 1024 * static_cast<double>(count));
  expect_answer(scene);
  expect_end_of(scene, live);
  crowd.leave();
  EXPECT_TRUE(until([&] { return scene.metric("switchboard_unproven_connections") < 10; }));
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Overload, by_more_strangers_than_may_wait_keeps_no_caller_out) {
  ChildScene scene{{{"SWITCHBOARD_MAX_UNPROVEN", "64"}, {"SWITCHBOARD_MAX_UNPROVEN_OF_ADDRESS", "32"}}};
  scene.serve();
  scene.seed();
  auto const live = talk(scene);
  Crowd crowd{scene.port};
  crowd.come(150, "");
  crowd.come(150, half_a_head);
  EXPECT_TRUE(until([&] {
    return scene.metric("switchboard_unproven_connections_dropped_total{of=\"address\"}") +
               scene.metric("switchboard_unproven_connections_dropped_total") >=
           260;
  }));
  EXPECT_LE(scene.metric("switchboard_unproven_connections"), 33);
  expect_answer(scene);
  crowd.come(100, "");
  expect_end_of(scene, live);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Overload, of_descriptors_lets_new_connections_wait_and_calls_go_on) {
  ChildScene scene;
  scene.serve();
  scene.seed();
  expect_answer(scene);
  auto const live = talk(scene);
  auto const limit_to = [&](double descriptors) {
    rlimit const limit{static_cast<rlim_t>(descriptors), net::raise_descriptor_limit(0)};
    return ::prlimit(scene.gateway().pid(), RLIMIT_NOFILE, &limit, nullptr) == 0;
  };
  auto const plenty = scene.metric("process_max_fds");
  auto const few = scene.metric("process_open_fds") + 64 + 10;
  ASSERT_TRUE(limit_to(few));

  Crowd crowd{scene.port};
  crowd.come(100, "");
  EXPECT_TRUE(until([&] { return scene.metric("switchboard_descriptor_shortages_total") > 0; })) << scene.log();
  EXPECT_LE(scene.metric("process_open_fds"), few - 64 + 4) << "the reserve is touched";
  auto const late = scene.place(scene.plan());
  auto const cpu = scene.metric("process_cpu_seconds_total");
  EXPECT_FALSE(late.comes_to(EventKind::stream_started, 1, 500ms)) << "this tests nothing: a connection was to be had";
  if (!slowed) EXPECT_LT(scene.metric("process_cpu_seconds_total") - cpu, 0.3) << "it spins";

  crowd.leave();
  EXPECT_TRUE(late.comes_to(EventKind::first_audio)) << scene.log();
  expect_end_of(scene, late);
  expect_end_of(scene, live);
  ASSERT_TRUE(limit_to(plenty));
  expect_answer(scene);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Overload, of_a_loop_turns_new_callers_away_politely_and_keeps_those_it_has) {
  ChildScene scene{{{"SWITCHBOARD_MAX_LAG", "50ms"}}};
  scene.serve();
  scene.seed();
  auto const live = scene.place(scene.plan());
  ASSERT_TRUE(live.comes_to(EventKind::agent_silent));
  auto const overloaded = [&] { return scene.metric("switchboard_core_overloaded") == 2; };
  // The whole process stands still, again and again.
  EXPECT_TRUE(until([&] {
    scene.gateway().signal(SIGSTOP);
    (void)until([] { return false; }, 150ms);
    scene.gateway().signal(SIGCONT);
    return overloaded();
  }));
  auto const refused = scene.place(scene.plan());
  auto const& result = refused.result();
  EXPECT_TRUE(result.streams.empty());
  ASSERT_EQ(result.said.size(), 1U);
  EXPECT_NE(result.said.front().find("busy"), std::string::npos) << result.said.front();
  EXPECT_EQ(scene.metric("switchboard_voice_answers_total{how=\"overloaded\"}"), 1);
  EXPECT_TRUE(until([&] { return scene.metric("switchboard_core_overloaded") == 0; }, 60s));
  expect_answer(scene);
  scene.sims.hang_up(live);
  EXPECT_EQ(live.result().streams.at(0).frames_lost, 0U);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Overload, by_a_limit_of_descriptors_that_is_known_beforehand_is_told_at_the_start) {
  ChildScene scene;
  auto const prlimit = [](int most) {
    return std::vector<std::string>{"/usr/bin/prlimit", "--nofile=" + std::to_string(most)};
  };
  scene.as = prlimit(100);
  auto const refused = run_to_end(scene.serve_command(), scene.environment_with({}), scene.folder.path());
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("limit of 100 open descriptors is too low"), std::string::npos) << refused.err;
  scene.as = prlimit(1024);
  scene.serve();
  EXPECT_NE(scene.log().find("SWITCHBOARD_MAX_CALLS"), std::string::npos) << scene.log();
  EXPECT_EQ(scene.stop(), 0);
}

}  // namespace
}  // namespace outside
