// The commands of the program while it serves: what they change is answered at once, what they show is true.
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class Commands : public ProcessTest {
 protected:
  static std::string id_of(Ended const& ended) {
    EXPECT_EQ(ended.status, 0) << ended.err;
    auto const json = Json::parse(ended.out, nullptr, /*allow_exceptions=*/false);
    return json.is_object() ? json.value("id", "") : "";
  }
  static bool routes(ChildScene& scene, int numbers) {
    return until([&] { return scene.health().value("numbers", 0) == numbers; }, slowed ? 6s : 2s);
  }
};

TEST_F(Commands, make_numbers_that_are_answered_within_two_seconds) {
  ChildScene scene;
  scene.serve();
  auto const tenant =
      id_of(scene.command({"tenants", "add", "--name", "Acme Dental", "--timezone", "America/New_York", "--json"}));
  auto const agent = id_of(scene.command({"agents", "add", "--tenant", tenant, "--name", "Front",
                                          "--elevenlabs-agent-id", agent_id, "--number", "+15550002222", "--json"}));
  EXPECT_TRUE(routes(scene, 1));
  auto plan = scene.plan();
  plan.to = "+15550002222";
  auto const first = scene.place(plan);
  EXPECT_TRUE(first.comes_to(EventKind::agent_silent));

  auto const number = id_of(
      scene.command({"numbers", "add", "--tenant", tenant, "--agent", agent, "--number", "+15550003333", "--json"}));
  EXPECT_TRUE(number.starts_with("num_")) << number;
  EXPECT_TRUE(routes(scene, 2));
  plan.to = "+15550003333";
  auto const second = scene.place(plan);
  EXPECT_TRUE(second.comes_to(EventKind::agent_silent));
  for (auto const& call : {first, second}) {
    scene.sims.hang_up(call);
    expect_unbroken(call.result());
    ASSERT_TRUE(scene.ended_record(call.sid()));
  }

  auto const listed =
      Json::parse(scene.command({"calls", "list", "--tenant", tenant, "--since", "1h", "--json"}).out, nullptr, false);
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].value("call_sid", ""), second.sid());
  EXPECT_EQ(listed[1].value("agent_id", ""), agent);
  auto const shown = scene.command({"calls", "show", listed[1].value("id", "")});
  EXPECT_EQ(shown.status, 0);
  EXPECT_NE(shown.out.find("Thank you for calling."), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find(first.sid()), std::string::npos);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Commands, say_two_for_wrong_usage_and_one_for_what_cannot_be_done) {
  ChildScene scene;
  scene.serve();
  std::vector<std::vector<std::string>> const wrong{
      {},
      {"dial"},
      {"calls", "show"},
      {"calls", "list", "--since", "yesterday"},
      {"tenants", "add"},
      {"tenants", "add", "--name", "Acme", "--timezone", "Mars/Olympus"},
      {"agents", "add", "--name", "Front"},
      {"numbers", "add", "--tenant", "t", "--agent", "a", "--number", "555"},
      {"serve", "--no-such-flag"}};
  for (auto const& arguments : wrong) {
    auto const ended = scene.command(arguments);
    EXPECT_EQ(ended.status, 2) << testing::PrintToString(arguments);
    EXPECT_NE(ended.err, "") << testing::PrintToString(arguments);
  }
  std::vector<std::vector<std::string>> const impossible{
      {"agents", "add", "--tenant", "ten_none", "--name", "Front", "--elevenlabs-agent-id", agent_id},
      {"calls", "show", "call_none"}};
  for (auto const& arguments : impossible) {
    auto const ended = scene.command(arguments);
    EXPECT_EQ(ended.status, 1) << testing::PrintToString(arguments);
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }
  EXPECT_EQ(scene.command({"--help"}).status, 0);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(Commands, seed_once_however_often_it_is_asked_for) {
  ChildScene scene;
  auto const before = scene.command({"seed", "--json"});
  EXPECT_EQ(before.status, 0) << before.err;
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << "a command stops the database it has started";
  scene.serve();
  auto const after = scene.command({"seed", "--json"});
  EXPECT_EQ(after.status, 0) << after.err;
  EXPECT_EQ(Json::parse(before.out, nullptr, false), Json::parse(after.out, nullptr, false));
  EXPECT_EQ(scene.health().value("numbers", 0), 1);
  EXPECT_EQ(scene.stop(), 0);
}

}  // namespace
}  // namespace outside
