// The database goes away while people are on the telephone: they do not notice, and their records are written
// afterwards.
#include <signal.h>

#include "crm/pg/cluster_lock.h"
#include "crm/pg/private_postgres.h"
#include "gateway/call/ending.h"
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class DatabaseOutage : public ProcessTest {};

void expect_whole_record(ChildScene& scene, PlacedCall const& call) {
  auto const record = scene.ended_record(call.sid());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->ending, to_string(gateway::Ending::caller_hung_up));
  EXPECT_EQ(count(*record, "ended"), 1U);
  EXPECT_NE(heard_of_agent(*record).find("Thank you for calling."), std::string::npos);
}

void end(ChildScene& scene, PlacedCall const& call) {
  scene.sims.hang_up(call);
  expect_unbroken(call.result());
}

TEST_F(DatabaseOutage, of_our_own_server_is_not_heard_and_mends_itself) {
  ChildScene scene;
  scene.serve();
  scene.seed();
  auto const first_server = scene.postmaster();

  auto const begun_before = scene.place(scene.plan());
  ASSERT_TRUE(begun_before.comes_to(EventKind::agent_speaks));
  {
    // Nobody may start a server as long as somebody changes its state: that holds the repair back.
    crm::pg::ClusterLock no_repair{scene.data() / "postgres" / "lock"};
    ASSERT_TRUE(no_repair.take_change(5s));
    scene.kill_postmaster();
    EXPECT_TRUE(until([&] { return scene.status_word() == "degraded"; }));
    EXPECT_EQ(scene.readiness(), 200U);
    auto const begun_meanwhile = scene.place(scene.plan());
    ASSERT_TRUE(begun_meanwhile.comes_to(EventKind::agent_silent)) << scene.log();
    end(scene, begun_meanwhile);
    EXPECT_GT(scene.health().value("records_waiting", 0), 0);
    no_repair.leave_change();
    expect_whole_record(scene, begun_meanwhile);
  }
  EXPECT_TRUE(until([&] { return scene.status_word() == "ok"; }));
  EXPECT_NE(scene.postmaster(), first_server);

  scene.kill_postmaster();
  auto const begun_at_once = scene.place(scene.plan());
  ASSERT_TRUE(begun_at_once.comes_to(EventKind::agent_silent)) << scene.log();
  end(scene, begun_at_once);
  end(scene, begun_before);
  expect_whole_record(scene, begun_at_once);
  expect_whole_record(scene, begun_before);
  EXPECT_TRUE(until([&] { return scene.health().value("records_waiting", -1) == 0; }));

  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));
}

TEST_F(DatabaseOutage, leaves_the_agent_to_take_a_message_which_arrives_afterwards) {
  using sim::elevenlabs::CallTools;
  using sim::elevenlabs::Say;
  ChildScene scene;
  scene.serve();
  scene.seed();
  scene.sims.reply_with({CallTools{{{.name = "find_slots"}}},
                         CallTools{{{.name = "take_message", .parameters = R"({"message":"Call me about Tuesday"})"}}},
                         Say{"I have noted that, somebody will call you back.", {}}});
  auto const call = scene.place(scene.plan());
  ASSERT_TRUE(call.comes_to(EventKind::agent_speaks)) << scene.log();
  {
    crm::pg::ClusterLock no_repair{scene.data() / "postgres" / "lock"};
    ASSERT_TRUE(no_repair.take_change(5s));
    scene.kill_postmaster();
    ASSERT_TRUE(call.comes_to(EventKind::agent_speaks, 2)) << scene.log();
    end(scene, call);
    no_repair.leave_change();
  }
  auto const record = scene.ended_record(call.sid());
  ASSERT_TRUE(record);
  ASSERT_EQ(record->tool_calls.size(), 2U);
  for (auto const& tool : record->tool_calls) {
    EXPECT_NE(tool.result_json.find("unavailable"), std::string::npos) << tool.result_json;
    EXPECT_LE(tool.took_ms, 3000) << tool.name;
  }
  auto const shown = Json::parse(scene.command({"calls", "show", call.sid(), "--json"}).out);
  EXPECT_EQ(shown["outcome"]["category"], "message_taken") << shown.dump(2);
  EXPECT_EQ(scene.stop(), 0) << scene.log();
}

TEST_F(DatabaseOutage, of_the_operators_server_is_sat_out) {
  Folder elsewhere;
  crm::pg::PrivatePostgres server{elsewhere.path() / "server", crm::pg::Purpose::serve};
  std::string escaped;
  for (char const c : (elsewhere.path() / "server" / "socket").string())
    escaped += c == '/' ? std::string{"%2F"} : std::string{c};
  ChildScene scene{{{"DATABASE_URL", "postgresql://switchboard@" + escaped + ":5432/switchboard"}}};
  scene.serve();
  scene.seed();
  EXPECT_EQ(scene.postmaster(), 0);

  auto const begun_before = scene.place(scene.plan());
  ASSERT_TRUE(begun_before.comes_to(EventKind::agent_speaks));
  auto const outage_began = std::chrono::steady_clock::now();
  ::kill(server.server(), SIGQUIT);
  EXPECT_TRUE(until([&] { return scene.status_word() == "degraded"; }));
  auto const begun_meanwhile = scene.place(scene.plan());
  ASSERT_TRUE(begun_meanwhile.comes_to(EventKind::agent_silent)) << scene.log();
  end(scene, begun_meanwhile);
  auto const refused = scene.command({"calls", "list"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("cannot reach the database"), std::string::npos) << refused.err;
  until([&] { return std::chrono::steady_clock::now() - outage_began > 10s; });
  EXPECT_EQ(scene.status_word(), "degraded");
  EXPECT_TRUE(server.revive());

  EXPECT_TRUE(until([&] { return scene.status_word() == "ok"; }));
  expect_whole_record(scene, begun_meanwhile);
  end(scene, begun_before);
  expect_whole_record(scene, begun_before);
  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path()));
  EXPECT_FALSE(processes_of(elsewhere.path()).empty()) << "the operator's server is not ours to stop";
}

}  // namespace
}  // namespace outside
