// SIGTERM: live calls get the grace, new ones a polite answer, and nothing is left behind.
#include <signal.h>

#include "gateway/call/ending.h"
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class StoppedProcess : public ProcessTest {
 protected:
  /// Shows a call after the process has gone; that starts and stops the private database once more.
  static Json show(ChildScene& scene, PlacedCall const& call) {
    auto const shown = scene.command({"calls", "show", call.sid(), "--json"});
    EXPECT_EQ(shown.status, 0) << shown.err;
    return Json::parse(shown.out, nullptr, /*allow_exceptions=*/false);
  }
};

TEST_F(StoppedProcess, lets_the_live_call_finish_and_refuses_new_ones_politely) {
  ChildScene scene{{{"SWITCHBOARD_DRAIN_GRACE", "60s"}}};
  scene.serve();
  scene.seed();
  auto const live = scene.place(scene.plan());
  ASSERT_TRUE(live.comes_to(EventKind::agent_speaks));
  EXPECT_EQ(scene.readiness(), 200U);

  scene.gateway().signal(SIGTERM);
  EXPECT_TRUE(until([&] { return scene.readiness() == 503; }));
  EXPECT_EQ(scene.status_word(), "draining");
  auto plan = scene.plan();
  plan.say_per_character = 1ms;
  auto const late = scene.place(plan);
  auto const& answered = late.result();
  EXPECT_TRUE(answered.clean());
  EXPECT_TRUE(answered.streams.empty());
  ASSERT_EQ(answered.said.size(), 1U);
  EXPECT_NE(answered.said.front().find("call again"), std::string::npos);
  EXPECT_EQ(answered.ending, sim::twilio::CallEnding::hung_up_by_document);

  ASSERT_TRUE(live.comes_to(EventKind::agent_speaks, 2));
  EXPECT_TRUE(scene.gateway().is_running());
  scene.sims.hang_up(live);
  EXPECT_EQ(scene.gateway().wait(20s), 0) << scene.log();
  expect_unbroken(live.result());
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));

  auto const record = show(scene, live);
  EXPECT_EQ(record.value("status", ""), "completed");
  EXPECT_EQ(record.value("ending", ""), to_string(gateway::Ending::caller_hung_up));
  EXPECT_GE(record["turns"].size(), 2U);
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));
}

TEST_F(StoppedProcess, hangs_up_on_those_who_talk_on_when_the_grace_is_over_or_cut_short) {
  ChildScene scene{{{"SWITCHBOARD_DRAIN_GRACE", "1s"}}};
  scene.serve();
  scene.seed();
  auto const outlasting = scene.place(scene.plan());
  ASSERT_TRUE(outlasting.comes_to(EventKind::agent_speaks));
  scene.gateway().signal(SIGTERM);
  EXPECT_EQ(scene.gateway().wait(20s), 0) << scene.log();
  EXPECT_EQ(outlasting.result().ending, sim::twilio::CallEnding::hung_up_by_rest);

  scene.set("SWITCHBOARD_DRAIN_GRACE", "10m");
  scene.serve();
  auto const cut = scene.place(scene.plan());
  ASSERT_TRUE(cut.comes_to(EventKind::agent_speaks));
  scene.gateway().signal(SIGTERM);
  EXPECT_TRUE(until([&] { return scene.readiness() == 503; }));
  EXPECT_TRUE(scene.gateway().is_running());
  scene.gateway().signal(SIGTERM);
  EXPECT_EQ(scene.gateway().wait(20s), 0) << scene.log();
  EXPECT_EQ(cut.result().ending, sim::twilio::CallEnding::hung_up_by_rest);
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));

  for (auto const& call : {outlasting, cut}) {
    auto const record = show(scene, call);
    EXPECT_EQ(record.value("status", ""), "completed");
    EXPECT_EQ(record.value("ending", ""), to_string(gateway::Ending::shut_down));
    EXPECT_EQ(record.value("blame", ""), "us");
  }
}

}  // namespace
}  // namespace outside
