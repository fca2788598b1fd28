// kill -9: the process that comes after takes up what goes on and closes what does not.
#include "gateway/call/ending.h"
#include "tests/flow/child_scene.h"

namespace outside {
namespace {

class KilledProcess : public ProcessTest {
 protected:
  /// A dying process still takes connections for a moment, and drops them: whoever watches it sends it no more.
  static void kill_behind_the_door(ChildScene& scene) {
    scene.sims.hold_doors(true);
    scene.kill();
    scene.sims.hold_doors(false);
  }

  /// What the carrier saw of a call that will be hung up, and the gateway's log.
  static std::string told_by(ChildScene& scene, PlacedCall const& call) {
    scene.sims.hang_up(call);
    std::string text;
    for (auto const& event : call.result().events) text += to_line(event) + "\n";
    for (auto const& violation : call.result().violations) text += violation.what + "\n";
    return text + scene.log();
  }
};

TEST_F(KilledProcess, is_followed_by_one_that_goes_on_with_the_call_and_closes_those_that_ended_meanwhile) {
  ChildScene scene;
  auto const straight = scene.setting("PUBLIC_BASE_URL");
  auto const door = "http://127.0.0.1:" + std::to_string(scene.sims.open_door(scene.port));
  scene.set("PUBLIC_BASE_URL", door);
  scene.serve();
  scene.seed();
  auto const database = scene.postmaster();

  auto plan = scene.plan();
  auto const patient = scene.place(plan);
  plan.status_callback.clear();
  auto const impatient = scene.place(plan);
  plan.public_base = door;
  plan.voice_url = straight + "/api/twilio/voice-callback";
  auto const refused = scene.place(plan);
  for (auto const& call : {patient, impatient, refused}) ASSERT_TRUE(scene.heard(call.sid(), "Thank you for calling."));
  auto const before = scene.record(patient.sid());
  ASSERT_TRUE(before);

  kill_behind_the_door(scene);
  for (auto const& call : {patient, impatient, refused}) ASSERT_TRUE(call.comes_to(EventKind::stream_ended));
  scene.sims.hang_up(impatient);
  EXPECT_EQ(refused.result().ending, sim::twilio::CallEnding::application_error);
  EXPECT_EQ(impatient.result().ending, sim::twilio::CallEnding::hung_up_by_caller);
  EXPECT_EQ(scene.postmaster(), database);

  scene.sims.greet_with("Here I am again.");
  scene.serve();
  EXPECT_EQ(scene.postmaster(), database);
  EXPECT_TRUE(patient.comes_to(EventKind::stream_started, 2)) << told_by(scene, patient);
  for (auto const& call : {impatient, refused}) {
    auto const closed = scene.ended_record(call.sid(), 5s);
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->status, crm::CallStatus::completed);
    EXPECT_EQ(closed->ending, to_string(gateway::Ending::node_lost));
  }
  EXPECT_TRUE(scene.heard(patient.sid(), "Here I am again."));
  scene.sims.hang_up(patient);
  EXPECT_EQ(patient.result().streams.size(), 2U);

  auto const after = scene.ended_record(patient.sid());
  ASSERT_TRUE(after);
  EXPECT_EQ(after->id, before->id);
  EXPECT_EQ(after->started_at, before->started_at);
  EXPECT_EQ(after->status, crm::CallStatus::completed);
  EXPECT_EQ(after->ending, to_string(gateway::Ending::caller_hung_up));
  EXPECT_EQ(after->resumed, 1);
  EXPECT_EQ(after->stream_count, 2);
  EXPECT_NE(heard_of_agent(*after).find("Thank you for calling."), std::string::npos);
  EXPECT_NE(heard_of_agent(*after).find("Here I am again."), std::string::npos);
  EXPECT_EQ(count(*after, "answered"), 1U);
  EXPECT_EQ(count(*after, "taken_over"), 1U);
  EXPECT_EQ(count(*after, "ended"), 1U);

  auto const listed = Json::parse(scene.command({"calls", "list", "--json"}).out, nullptr, false);
  ASSERT_EQ(listed.size(), 3U);
  for (auto const& call : listed) EXPECT_EQ(call.value("status", ""), "completed");
  EXPECT_EQ(scene.stop(), 0) << scene.log();
  EXPECT_TRUE(nothing_runs_in(scene.folder.path())) << testing::PrintToString(processes_of(scene.folder.path()));
}

TEST_F(KilledProcess, tells_the_next_conversation_what_the_caller_has_heard) {
  ChildScene scene;
  auto const door = "http://127.0.0.1:" + std::to_string(scene.sims.open_door(scene.port));
  scene.set("PUBLIC_BASE_URL", door);
  scene.serve();
  scene.seed();
  auto const call = scene.place(scene.plan());
  ASSERT_TRUE(scene.heard(call.sid(), "Thank you for calling."));

  kill_behind_the_door(scene);
  scene.serve();
  ASSERT_TRUE(call.comes_to(EventKind::agent_speaks, 2)) << told_by(scene, call);

  auto const told = scene.sims.with_agents([](sim::elevenlabs::ElevenLabsSim& agents) {
    auto const* conversation = agents.newest();
    return conversation != nullptr ? conversation->contextual_updates : std::vector<std::string>{};
  });
  ASSERT_FALSE(told.empty());
  EXPECT_NE(told.front().find("Thank you for calling."), std::string::npos);
  scene.sims.hang_up(call);
  EXPECT_EQ(scene.stop(), 0);
}

TEST_F(KilledProcess, is_followed_by_one_that_hears_from_the_agents_provider_what_was_not_saved) {
  ChildScene scene{{{"ELEVENLABS_POLL_AFTER", "1s"}}};
  scene.serve();
  scene.seed();
  auto plan = scene.plan();
  plan.status_callback.clear();
  auto const call = scene.place(plan);
  ASSERT_TRUE(scene.heard(call.sid(), "Thank you for calling."));
  // Just saved, and not again within the second.
  auto const last_words = [](sim::elevenlabs::ElevenLabsSim& agents) {
    auto const* conversation = agents.newest();
    return agents.perform(conversation->id, {sim::elevenlabs::Say{"Room seven is yours.", {}}});
  };
  ASSERT_TRUE(scene.sims.with_agents(last_words));
  ASSERT_TRUE(until([&] {
    return scene.sims.with_agents([](sim::elevenlabs::ElevenLabsSim& agents) {
      auto const& lines = agents.newest()->transcript;
      return !lines.empty() && lines.back().text == "Room seven is yours.";
    });
  }));
  // The caller is gone before anybody can take the call up again.
  scene.kill();
  ASSERT_TRUE(call.comes_to(EventKind::stream_ended));
  scene.sims.hang_up(call);
  call.result();

  scene.serve();
  std::optional<crm::CallRecord> record;
  auto const turns_with = [&](std::string_view words) {
    record = scene.record(call.sid());
    return record ? std::ranges::count_if(record->turns, [&](auto const& turn) { return turn.said.contains(words); })
                  : 0;
  };
  EXPECT_TRUE(until([&] { return turns_with("Room seven is yours.") == 1; })) << scene.log();
  EXPECT_EQ(record->ending, to_string(gateway::Ending::node_lost));
  EXPECT_TRUE(record->turns.back().from_provider);
  EXPECT_EQ(record->turns.back().heard, "");
  EXPECT_EQ(turns_with("Thank you for calling."), 1);
  EXPECT_FALSE(record->turns.front().from_provider);
  EXPECT_TRUE(until([&] { return scene.metric("switchboard_conversation_polls_total{result=\"applied\"}") == 1; }));
  EXPECT_EQ(scene.stop(), 0);
}

}  // namespace
}  // namespace outside
