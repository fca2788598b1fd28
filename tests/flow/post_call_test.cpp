// What the agent's provider says after a call becomes part of its outcome, whenever and however often it is said.
#include <gmock/gmock.h>

#include "gateway/agent/elevenlabs/webhook_signature.h"
#include "tests/flow/scene.h"

namespace flow {
namespace {

class PostCall : public FlowTest {
 protected:
  Scene& stage() {
    return scene([this](config::Settings& settings) { settings.elevenlabs.webhook_secret = secret; });
  }

  unsigned delivers(std::string const& conversation, std::string const& summary, int at = 1'800'000'000) {
    auto const body = R"({"type":"post_call_transcription","event_timestamp":)" + std::to_string(at) +
                      R"(,"data":{"conversation_id":")" + conversation +
                      R"(","agent_id":"agent_x","status":"done","analysis":{"call_successful":"success",)"
                      R"("transcript_summary":")" +
                      summary +
                      R"(","evaluation_criteria_results":{"polite":{"result":"success","rationale":"was"}},)"
                      R"("data_collection_results":{"guests":{"value":4},"odd":7}}}})";
    auto const now = std::chrono::duration_cast<std::chrono::seconds>(scene().time().wall().time_since_epoch()).count();
    return posts(body, gateway::elevenlabs::sign_webhook(secret, body, now));
  }
  unsigned posts(std::string const& body, std::string const& signature) {
    net::HttpCall call;
    call.method = "POST";
    call.url = scene().base_url() + "/api/elevenlabs/webhook";
    call.headers.add("ElevenLabs-Signature", signature);
    call.body = body;
    return scene().send(std::move(call)).status;
  }
  std::string outcome(std::string const& sid, std::string const& what) {
    return scene().value("select " + what +
                         " from call_outcomes o join calls c on c.tenant_id = o.tenant_id and c.id = " +
                         "o.call_id where c.call_sid = '" + sid + "'");
  }

  base::Secret const secret{"wsec_0123456789abcdef"};
};

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

}  // namespace
}  // namespace flow
