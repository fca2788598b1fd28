// What the agent's provider says after a call becomes part of its outcome, whenever and however often it is said.
#include <gmock/gmock.h>

#include "tests/flow/post_call_scene.h"
#include "tests/flow/receptionist.h"

namespace flow {
namespace {

class PostCall : public PostCallTest {};

TEST_F(PostCall, words_that_come_after_the_call_are_in_its_outcome_once) {
  auto const number = stage().hire(agent_saying(words("Hello.", 500ms)));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  scene().hang_up(call);
  call.result();
  auto const record = scene().record(call.sid());
  ASSERT_TRUE(record.conversation_id);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(delivers(*record.conversation_id, "Asked for a table."), 200U);
  EXPECT_TRUE(scene().until([&] { return outcome(call.sid(), "summary") == "Asked for a table."; }));
  EXPECT_EQ(outcome(call.sid(), "evaluation->'polite'->>'result'"), "success");
  EXPECT_EQ(outcome(call.sid(), "collected->'guests'->>'value'"), "4");
  EXPECT_EQ(outcome(call.sid(), "quarantine->>0"), "analysis.data_collection_results.odd: not an object");
  EXPECT_EQ(outcome(call.sid(), "enriched_from || ' ' || extract(epoch from enriched_at)::bigint"),
            "webhook 1800000000");
  EXPECT_EQ(scene().value("select count(*) || ' ' || min(status) || ' ' || min(tenant_id) from inbox"),
            "1 applied " + record.tenant.text());
}

TEST_F(PostCall, words_that_come_before_the_call_has_ended_wait_for_it) {
  auto const number = stage().hire(agent_saying(words("Hello.", 500ms)));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  auto const conversation = scene().conversations(number).at(0).id;
  EXPECT_EQ(delivers(conversation, "Early."), 200U);
  scene().hang_up(call);
  call.result();
  EXPECT_TRUE(scene().until([&] { return outcome(call.sid(), "summary") == "Early."; }));
}

TEST_F(PostCall, words_of_the_later_event_stand_whatever_comes_first) {
  auto const number = stage().hire(agent_saying(words("Hello.", 500ms)));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  scene().hang_up(call);
  call.result();
  auto const record = scene().record(call.sid());
  EXPECT_EQ(delivers(*record.conversation_id, "Corrected.", 1'800'000'100), 200U);
  EXPECT_EQ(delivers(*record.conversation_id, "First.", 1'800'000'000), 200U);
  EXPECT_TRUE(
      scene().until([&] { return scene().value("select count(*) from inbox where status = 'applied'") == "2"; }));
  EXPECT_EQ(outcome(call.sid(), "summary"), "Corrected.");
}

TEST_F(PostCall, words_that_are_not_signed_are_refused) {
  stage().open();
  auto const body = std::string{R"({"type":"post_call_transcription","data":{"conversation_id":"conv_1"}})"};
  auto const now = std::chrono::duration_cast<std::chrono::seconds>(scene().time().wall().time_since_epoch()).count();
  EXPECT_EQ(posts(body, ""), 401U);
  EXPECT_EQ(posts(body, gateway::elevenlabs::sign_webhook(base::Secret{"wsec_other"}, body, now)), 401U);
  EXPECT_EQ(scene().value("select count(*) from inbox"), "0");
}

TEST_F(PostCall, words_that_nobody_sent_are_asked_for) {
  auto const number = stage([](config::Settings& settings) {
                        settings.elevenlabs.webhook_secret = {};
                        settings.elevenlabs.poll_after = 200ms;
                      }).hire(agent_saying(words("Hello.", 500ms)));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  scene().hang_up(call);
  call.result();
  auto const record = scene().record(call.sid());
  EXPECT_TRUE(scene().until([&] { return outcome(call.sid(), "enriched_from") == "poll"; }));
  EXPECT_EQ(outcome(call.sid(), "summary"), "A simulated conversation of 0 caller turns.");
  EXPECT_EQ(outcome(call.sid(), "quarantine is null"), "t");
  EXPECT_EQ(outcome(call.sid(), "enriched_at < now()"), "t");
}

TEST_F(PostCall, words_and_callbacks_of_a_call_that_come_again_change_no_row) {
  auto& scene = stage([](config::Settings& settings) { settings.elevenlabs.poll_after = 100ms; });
  auto const number = scene.hire(receptionist());
  scene.found_tenant();
  auto const other = scene.hire(agent_saying(words("Hello.", 500ms)));
  scene.open();
  auto const call = scene.place(asking(scene.plan(number)));
  EXPECT_TRUE(call.result().clean());
  auto const record = scene.record(call.sid());
  ASSERT_TRUE(record.conversation_id);
  EXPECT_EQ(delivers(*record.conversation_id, "Booked a visit."), 200U);
  ASSERT_TRUE(scene.until([&] {
    return outcome(call.sid(), "enriched_from") == "webhook" &&
           scene.value("select count(*) from outbox where status <> 'done'") == "0";
  }));
  auto const before = rows_of(record.tenant);
  for (auto const* part :
       {"appointments <", "call_outcomes <", "contacts <", "messages <", "inbox <", "Booked a visit."})
    EXPECT_NE(before.find(part), std::string::npos) << part;

  for (auto const* status : {"completed", "in-progress", "completed", "ringing", "failed", "completed"}) {
    auto form = scene.voice_form(call.sid(), number);
    for (auto& [name, value] : form)
      if (name == "CallStatus") value = status;
    form.emplace_back("CallbackSource", "call-progress-events");
    EXPECT_EQ(scene.post("/api/twilio/status-callback", form).status, 204U) << status;
    EXPECT_EQ(delivers(*record.conversation_id, "Booked a visit."), 200U);
  }
  // By the time another call has been asked for, this one would have been, too.
  auto const second = scene.place(scene.plan(other));
  second.until(EventKind::first_audio);
  scene.hang_up(second);
  second.result();
  scene.record(second.sid());
  EXPECT_TRUE(scene.until([&] { return outcome(second.sid(), "enriched_from") == "poll"; }));
  EXPECT_EQ(rows_of(record.tenant), before);
}

}  // namespace
}  // namespace flow
