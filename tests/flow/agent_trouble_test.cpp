// The agent cannot be had, or is lost: no caller is left in silence, and every call has one ending.
#include <gmock/gmock.h>

#include "tests/flow/scene.h"

namespace flow {
namespace {

using crm::FallbackKind;
using testing::HasSubstr;

constexpr char colleague[] = "+15557770003";

struct Trouble {
  std::string name;
  FallbackKind fallback;
  std::function<void(sim::elevenlabs::Behaviour&)> behave;
};

std::vector<Trouble> all_troubles() {
  using sim::elevenlabs::Behaviour;
  return {
      {"refused", FallbackKind::forward, [](Behaviour& b) { b.close_code = 3000, b.close_when = "start"; }},
      {"refuses the upgrade", FallbackKind::voicemail, [](Behaviour& b) { b.refuse_upgrade = 503; }},
      {"quota", FallbackKind::apology,
       [](Behaviour& b) {
         b.close_code = 1002, b.close_when = "metadata", b.close_error_type = "quota_exceeded";
         b.close_reason = "This request exceeds your quota limit.";
       }},
      {"unusable format", FallbackKind::forward, [](Behaviour& b) { b.metadata_output_format = "opus_48000"; }},
      {"never answers", FallbackKind::voicemail, [](Behaviour& b) { b.metadata = "never"; }},
      {"closes at once", FallbackKind::apology, [](Behaviour& b) { b.drop_at_start = true; }},
      {"dies in the middle of every sentence", FallbackKind::forward,
       [](Behaviour& b) { b.die_mid_sentence_ms = 700; }},
      {"sends garbage for audio", FallbackKind::voicemail, [](Behaviour& b) { b.garbage_audio = true; }},
      {"is silent for ever", FallbackKind::apology, [](Behaviour& b) { b.silent = true; }},
      {"waits in a queue that is given up", FallbackKind::apology,
       [](Behaviour& b) { b.queue_ms = 500, b.queue_outcome = "timed_out"; }},
  };
}

std::string_view ending_of(FallbackKind kind) {
  switch (kind) {
    case FallbackKind::forward:
      return "forwarded";
    case FallbackKind::voicemail:
      return "took_voicemail";
    case FallbackKind::apology:
      return "apologised";
  }
  return {};
}

void expect_fallback(FallbackKind kind, PlacedCall const& call) {
  auto const& result = call.result();
  switch (kind) {
    case FallbackKind::forward:
      EXPECT_THAT(call.until(EventKind::dialling, 1, 1ms).event.detail, HasSubstr(colleague));
      EXPECT_EQ(call.until(EventKind::dial_ended, 1, 1ms).event.detail, "completed");
      return;
    case FallbackKind::voicemail:
      EXPECT_EQ(call.seen(EventKind::recorded).size(), 1U);
      ASSERT_EQ(result.said.size(), 2U);
      EXPECT_THAT(result.said[0], HasSubstr("leave a message"));
      EXPECT_THAT(result.said[1], HasSubstr("Thank you"));
      return;
    case FallbackKind::apology:
      ASSERT_EQ(result.said.size(), 1U);
      EXPECT_THAT(result.said[0], HasSubstr("sorry"));
      return;
  }
}

std::size_t count(crm::CallRecord const& record, std::string_view kind) {
  return static_cast<std::size_t>(std::ranges::count(record.events, kind, &crm::CallEvent::kind));
}

class AgentTrouble : public FlowTest {};

TEST_F(AgentTrouble, of_every_kind_ends_in_the_fallback_that_the_caller_hears) {
  auto const troubles = all_troubles();
  std::vector<std::string> numbers;
  for (auto const& trouble : troubles) {
    auto agent = agent_saying(words("Hello, how can I help you?", 3s));
    trouble.behave(agent.behaviour);
    numbers.push_back(scene().hire(std::move(agent), [&](crm::VoiceAgent& serves) {
      serves.fallback = trouble.fallback;
      if (trouble.fallback == FallbackKind::forward) serves.fallback_number = colleague;
    }));
  }
  scene().open();
  std::vector<PlacedCall> calls;
  for (auto const& number : numbers) {
    auto plan = scene().plan(number);
    plan.caller.speech = speech(600ms);
    plan.caller.speech_at = 500ms;
    calls.push_back(scene().place(std::move(plan)));
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(troubles[i].name);
    auto const& result = calls[i].result();
    EXPECT_EQ(result.ending, CallEnding::hung_up_by_document);
    EXPECT_TRUE(result.violations.empty()) << result.violations.front().what;
    expect_fallback(troubles[i].fallback, calls[i]);
    auto const record = scene().record(calls[i].sid());
    EXPECT_EQ(record.status, crm::CallStatus::completed);
    EXPECT_EQ(record.ending, ending_of(troubles[i].fallback));
    EXPECT_EQ(record.blame, crm::Blame::agent);
    EXPECT_EQ(count(record, "ended"), 1U);
    std::cout << troubles[i].name << ": over after " << result.lasted.count() << " ms\n";
  }
}

TEST_F(AgentTrouble, at_the_agent_service_as_a_whole_ends_in_the_fallback_too) {
  auto const nobody = scene().hire(agent_saying(words("Hello.")),
                                   [](crm::VoiceAgent& agent) { agent.elevenlabs_agent_id = "agent_nobody"; });
  auto const broken = scene().hire(agent_saying(words("Hello.")));
  auto const poor = scene().hire(agent_saying(words("Hello.")));
  scene().open();
  scene().with_agents([](ElevenLabsSim& sim) {
    sim.fail_rest({.path_contains = "agent_2", .status = 500});
    sim.fail_rest({.path_contains = "agent_3", .status = 401, .code = "quota_exceeded"});
    return 0;
  });
  std::vector<PlacedCall> calls;
  for (auto const& number : {nobody, broken, poor}) calls.push_back(scene().place(scene().plan(number)));
  for (auto const& call : calls) {
    expect_fallback(FallbackKind::apology, call);
    auto const record = scene().record(call.sid());
    EXPECT_EQ(record.ending, "apologised");
    EXPECT_EQ(record.blame, crm::Blame::agent);
  }
}

TEST_F(AgentTrouble, in_the_middle_of_a_sentence_is_mended_by_a_conversation_that_knows_what_was_heard) {
  auto agent =
      agent_saying(words("We have appointments on Monday at nine, on Tuesday at ten, and on Friday at noon.", 4s));
  agent.behaviour.die_mid_sentence_ms = 1500;
  agent.behaviour.burst_factor = 2;
  auto const number = scene().hire(std::move(agent));
  scene().open();
  auto const call = scene().place(scene().plan(number));
  call.until(EventKind::first_audio);
  scene().change(number, [](Agent& next) {
    next.first_message = words("As I was saying.", 1s);
    next.behaviour.die_mid_sentence_ms = 0;
  });
  EXPECT_TRUE(scene().until([&] { return scene().conversations(number).size() == 2; }));
  call.until(EventKind::agent_silent);
  scene().hang_up(call);
  auto const& result = call.result();
  EXPECT_EQ(result.streams.size(), 1U) << "the caller's line has nothing to do with it";
  auto const conversations = scene().conversations(number);
  ASSERT_EQ(conversations.size(), 2U);
  ASSERT_FALSE(conversations[1].contextual_updates.empty());
  EXPECT_THAT(conversations[1].contextual_updates[0], HasSubstr("We have appointments"));
  EXPECT_THAT(conversations[1].contextual_updates[0], testing::Not(HasSubstr("Friday"))) << "that was never said aloud";
  EXPECT_TRUE(position(conversations[0].agent_audio, result.heard));
  EXPECT_TRUE(position(conversations[1].agent_audio, result.heard));
  auto const record = scene().record(call.sid());
  EXPECT_EQ(record.ending, "caller_hung_up");
  ASSERT_EQ(record.turns.size(), 2U);
  EXPECT_TRUE(record.turns[0].said.starts_with(record.turns[0].heard));
  EXPECT_THAT(record.turns[0].heard, HasSubstr("We have appointments"));
  EXPECT_THAT(record.turns[0].heard, testing::Not(HasSubstr("Friday"))) << "that was never said aloud";
  EXPECT_EQ(record.turns[1].heard, "As I was saying.");
  EXPECT_EQ(scene().metric("switchboard_agent_reconnects_total"), 1);
}

TEST_F(AgentTrouble, with_the_person_behind_it_leads_to_voicemail) {
  auto agent = agent_saying(words("Hello."));
  agent.behaviour.drop_at_start = true;
  auto const number = scene().hire(std::move(agent), [](crm::VoiceAgent& serves) {
    serves.fallback = FallbackKind::forward;
    serves.fallback_number = colleague;
  });
  scene().open();
  auto plan = scene().plan(number);
  plan.callee.answer = sim::twilio::CalleeAnswer::busy;
  auto const call = scene().place(plan);
  EXPECT_EQ(call.until(EventKind::dial_ended).event.detail, "busy");
  expect_fallback(FallbackKind::voicemail, call);
  EXPECT_EQ(scene().record(call.sid()).ending, "took_voicemail");
}

}  // namespace
}  // namespace flow
