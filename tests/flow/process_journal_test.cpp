// The database is away when a call ends, and then the process goes as well: the record comes to the database all the
// same, with its right ending.
#include <signal.h>

#include "crm/pg/cluster_lock.h"
#include "gateway/call/ending.h"
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class Journal : public ProcessTest {
 protected:
  static std::uint64_t on_disk(ChildScene& scene) {
    return scene.health().value("/journal/records"_json_pointer, std::uint64_t{0});
  }
  static Json listed(ChildScene& scene) {
    auto const ran = scene.command({"journal", "list", "--json"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return Json::parse(ran.out, nullptr, /*allow_exceptions=*/false);
  }
  static PlacedCall talk(ChildScene& scene) {
    auto const call = scene.place(scene.plan());
    EXPECT_TRUE(call.comes_to(EventKind::agent_silent)) << scene.log();
    return call;
  }
  static void expect_whole_record(ChildScene& scene, PlacedCall const& call) {
    auto const record = scene.ended_record(call.sid());
    ASSERT_TRUE(record) << scene.log();
    EXPECT_EQ(record->status, crm::CallStatus::completed);
    EXPECT_EQ(record->ending, to_string(gateway::Ending::caller_hung_up));
    EXPECT_EQ(record->blame, crm::Blame::caller);
    EXPECT_EQ(count(*record, "ended"), 1U);
    EXPECT_NE(heard_of_agent(*record).find("Thank you for calling."), std::string::npos);
  }
};

TEST_F(Journal, brings_the_ends_of_calls_over_a_kill_while_the_database_is_away) {
  ChildScene scene;
  scene.serve();
  scene.seed();
  auto const known_to_database = talk(scene);
  ASSERT_TRUE(scene.heard(known_to_database.sid(), "Thank you for calling."));
  {
    // Nobody may start a server as long as somebody changes its state: that holds the repair back.
    crm::pg::ClusterLock no_repair{scene.data() / "postgres" / "lock"};
    ASSERT_TRUE(no_repair.take_change(5s));
    scene.kill_postmaster();
    auto const unknown_to_database = talk(scene);
    scene.sims.hang_up(known_to_database);
    scene.sims.hang_up(unknown_to_database);
    ASSERT_TRUE(until([&] {
      auto const waiting = listed(scene)["waiting"];
      return std::ranges::count(waiting, "completed", [](Json const& each) { return each.value("status", ""); }) == 2;
    })) << scene.log();
    EXPECT_EQ(on_disk(scene), 2U);
    scene.kill();
    no_repair.leave_change();
    scene.serve();
    expect_whole_record(scene, known_to_database);
    expect_whole_record(scene, unknown_to_database);
  }
  EXPECT_TRUE(until([&] { return on_disk(scene) == 0; }));
  EXPECT_TRUE(listed(scene)["waiting"].empty());
  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));
}

TEST_F(Journal, lets_the_process_stop_well_while_the_database_is_away) {
  ChildScene scene{{{"SWITCHBOARD_DRAIN_GRACE", "0s"}}};
  scene.serve();
  scene.seed();
  auto const hung_up = talk(scene);
  auto const cut_short = talk(scene);
  {
    crm::pg::ClusterLock no_repair{scene.data() / "postgres" / "lock"};
    ASSERT_TRUE(no_repair.take_change(5s));
    scene.kill_postmaster();
    scene.sims.hang_up(hung_up);
    ASSERT_TRUE(until([&] { return on_disk(scene) > 0; })) << scene.log();
    scene.gateway().signal(SIGTERM);
    ASSERT_TRUE(until([&] { return scene.log().find("records left in the journal") != std::string::npos; }, 20s))
        << scene.log();
    no_repair.leave_change();
    EXPECT_EQ(scene.gateway().wait(30s), 0) << scene.log();
  }
  EXPECT_EQ(listed(scene)["waiting"].size(), 2U);
  scene.serve();
  expect_whole_record(scene, hung_up);
  auto const record = scene.ended_record(cut_short.sid());
  ASSERT_TRUE(record) << scene.log();
  EXPECT_EQ(record->ending, to_string(gateway::Ending::shut_down));
  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path()));
}

}  // namespace
}  // namespace outside
