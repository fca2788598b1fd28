// What must not be in a log.
#include <gmock/gmock.h>

#include "tests/flow/scene.h"

namespace flow {
namespace {

using testing::HasSubstr;
using testing::Not;

class Privacy : public FlowTest {};

TEST_F(Privacy, no_word_number_key_or_ticket_of_a_call_is_logged) {
  auto agent = agent_saying(words("Welcome to the secretive clinic.", 1s));
  auto reply = answer({words("Your appointment is on Thursday.", 1s),
                       sim::elevenlabs::CallTools{{{"unheard_of", R"({"diagnosis":"hay fever"})"}}}});
  reply.heard = "My name is Rumpelstiltskin.";
  agent.turns.push_back(std::move(reply));
  auto const talking = scene().hire(std::move(agent), [](crm::VoiceAgent& serves) { serves.record = true; });
  auto failing = agent_saying(words("You will not hear this sentence.", 2s));
  failing.behaviour.die_mid_sentence_ms = 500;
  auto const broken = scene().hire(std::move(failing), [](crm::VoiceAgent& serves) {
    serves.fallback = crm::FallbackKind::forward;
    serves.fallback_number = "+15557770009";
  });
  auto refused = agent_saying(words("Nor this."));
  refused.behaviour.close_code = 3000;
  refused.behaviour.close_when = "start";
  refused.behaviour.close_reason = "caller +14155550100 may not call";
  auto const odd = scene().hire(std::move(refused));
  scene().open();

  auto plan = scene().plan(talking);
  plan.caller.speech = speech(700ms);
  plan.caller.speech_at = 1500ms;
  plan.caller.dtmf = "4929123456789#";
  plan.caller.dtmf_gap = 20ms;
  plan.caller.hang_up_after = 6s;
  auto const call = scene().place(plan);
  auto const second = scene().place(scene().plan(broken));
  auto const third = scene().place(scene().plan(odd));
  auto const unknown = scene().place(scene().plan("+15558887777"));
  call.until(EventKind::first_audio);
  auto const replay = scene().post("/api/twilio/voice-callback", scene().voice_form(call.sid(), talking));
  EXPECT_THAT(replay.body, HasSubstr("\"v1.")) << "tickets look different now: change what is looked for below";
  scene().post("/api/twilio/voice-callback", scene().voice_form(call.sid(), talking), Signing::wrong_token);
  for (auto const& placed : {call, second, third, unknown}) placed.result();
  auto const record = scene().record(call.sid());
  ASSERT_GE(record.turns.size(), 3U);
  scene().close();

  auto const log = scene().log();
  ASSERT_THAT(log, HasSubstr("call ended"));
  for (auto const* word :
       {"secretive", "Thursday", "Rumpelstiltskin", "hay fever", "unheard_of\":", "not hear this", "4929123456789",
        "14155550100", "15557770009", "15558887777", "5550001001", "v1.", "signature=", "token=", "Acme"})
    EXPECT_THAT(log, Not(HasSubstr(word)));
}

}  // namespace
}  // namespace flow
