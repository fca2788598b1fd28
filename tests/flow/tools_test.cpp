// What the agent can do besides talking: hear keys, hang up, hand the caller over.
#include <gmock/gmock.h>

#include "tests/flow/scene.h"

namespace flow {
namespace {

using sim::elevenlabs::CallTools;
using sim::elevenlabs::Step;
using sim::elevenlabs::ToolCall;
using sim::elevenlabs::ToolRecord;
using sim::twilio::CalleeAnswer;
using testing::HasSubstr;

CallTools tool(std::string name, std::string parameters = "{}") {
  ToolCall call;
  call.name = std::move(name);
  call.parameters = std::move(parameters);
  return CallTools{{std::move(call)}};
}

/// Listens first; does this after the caller's first words.
Agent agent_doing(std::vector<Step> reply) {
  auto agent = agent_saying(words("Hello.", 500ms));
  agent.turns.push_back(answer(std::move(reply)));
  return agent;
}

CallPlan asking(CallPlan plan) {
  plan.caller.speech = speech(600ms);
  plan.caller.speech_at = 800ms;
  return plan;
}

constexpr char person[] = "+15557770001";
constexpr char stranger[] = "+15557770002";

class Tools : public FlowTest {
 protected:
  static void may_transfer(crm::VoiceAgent& agent) { agent.transfer_numbers = {person}; }
};

TEST_F(Tools, keys_that_the_caller_presses_reach_the_agent) {
  auto const number = scene().hire(agent_saying(words("Enter your number.", 500ms)));
  scene().open();
  auto plan = scene().plan(number);
  plan.caller.dtmf = "4711#";
  plan.caller.dtmf_gap = 100ms;
  auto const call = scene().place(plan);
  EXPECT_TRUE(scene().agent_comes_to(number, [](ConversationRecord const& conversation) {
    return !conversation.user_messages.empty() || !conversation.contextual_updates.empty();
  }));
  scene().hang_up(call);
  call.result();
  auto const conversation = scene().conversations(number).at(0);
  std::string told;
  for (auto const& text : conversation.user_messages) told += text;
  for (auto const& text : conversation.contextual_updates) told += text;
  EXPECT_THAT(told, HasSubstr("4711"));
}

TEST_F(Tools, a_goodbye_is_played_to_its_last_byte_before_the_call_is_hung_up) {
  // The agent service closes while most of the goodbye is still unplayed; or it asks us by tool; or it waits politely.
  auto const closing = scene().hire(agent_doing({words("Thank you for calling, goodbye!", 2s), EndCall{}}));
  auto const asking_us = scene().hire(agent_doing({words("Thank you for calling, goodbye!", 2s), tool("end_call")}));
  auto polite = agent_doing({words("Thank you for calling, goodbye!", 2s), EndCall{}});
  polite.behaviour.end_call_after_playback = true;
  auto const waiting = scene().hire(std::move(polite));
  auto other_rate = agent_doing({words("Thank you for calling, goodbye!", 2s), EndCall{}});
  other_rate.output_format = "pcm_16000";
  auto const resampled = scene().hire(std::move(other_rate));
  scene().open();
  std::vector<std::string> const numbers{closing, asking_us, waiting, resampled};
  std::vector<PlacedCall> calls;
  for (auto const& number : numbers) calls.push_back(scene().place(asking(scene().plan(number))));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(i);
    auto const& result = calls[i].result();
    EXPECT_EQ(result.ending, CallEnding::hung_up_by_rest);
    EXPECT_TRUE(result.clean());
    auto const conversation = scene().conversations(numbers[i]).at(0);
    auto const goodbye = conversation.agent_audio_of(2);
    ASSERT_GE(goodbye.size(), 2U * media::telephone_rate);
    if (i < 3) EXPECT_TRUE(position(goodbye, result.heard)) << "the goodbye was cut";
    auto const record = scene().record(calls[i].sid());
    EXPECT_EQ(record.ending, "agent_hung_up");
    EXPECT_EQ(record.blame, crm::Blame::agent);
    ASSERT_FALSE(record.turns.empty());
    EXPECT_EQ(record.turns.back().said, "Thank you for calling, goodbye!");
    EXPECT_EQ(record.turns.back().heard, record.turns.back().said);
    EXPECT_GE(record.turns.back().heard_ms.value_or(0), 2000);
    EXPECT_LT(result.lasted, 9s);
  }
}

TEST_F(Tools, an_unknown_tool_gets_an_error_and_the_talk_goes_on) {
  auto call = tool("order_pizza");
  call.calls[0].on_error = words("I cannot do that.", 500ms);
  auto const number = scene().hire(agent_doing({call}));
  scene().open();
  auto const placed = scene().place(asking(scene().plan(number)));
  placed.until(EventKind::agent_silent, 2);
  scene().hang_up(placed);
  auto const& result = placed.result();
  auto const conversation = scene().conversations(number).at(0);
  ASSERT_EQ(conversation.tools.size(), 1U);
  EXPECT_EQ(conversation.tools[0].state, ToolRecord::State::answered);
  EXPECT_TRUE(conversation.tools[0].is_error);
  EXPECT_THAT(conversation.tools[0].result, HasSubstr("unknown_tool"));
  EXPECT_TRUE(position(conversation.agent_audio_of(2), result.heard));
}

TEST_F(Tools, a_transfer_connects_the_caller_with_a_person) {
  auto const number = scene().hire(agent_doing({words("I will connect you.", 500ms),
                                                tool("transfer_to_number", R"({"transfer_number":"+15557770001"})")}),
                                   may_transfer);
  scene().open();
  auto const call = scene().place(asking(scene().plan(number)));
  auto const& result = call.result();
  EXPECT_TRUE(result.clean());
  EXPECT_THAT(call.until(EventKind::dialling).event.detail, HasSubstr(person));
  EXPECT_EQ(call.until(EventKind::dial_ended).event.detail, "completed");
  EXPECT_TRUE(position(scene().conversations(number).at(0).agent_audio_of(2), result.heard))
      << "the announcement was cut";
  auto const record = scene().record(call.sid());
  EXPECT_EQ(record.ending, "transferred");
  EXPECT_EQ(record.blame, crm::Blame::us);
  EXPECT_EQ(record.status, crm::CallStatus::completed);
}

TEST_F(Tools, a_transfer_to_a_busy_person_brings_the_caller_back_to_the_agent) {
  auto const number =
      scene().hire(agent_doing({words("I will connect you.", 500ms), tool("transfer_to_number")}), may_transfer);
  scene().open();
  auto plan = asking(scene().plan(number));
  plan.callee.answer = CalleeAnswer::busy;
  auto const call = scene().place(plan);
  call.until(EventKind::dialling);
  scene().change(number, [](Agent& agent) {
    agent.first_message = words("Nobody is free, may I take a message?", 1s);
    agent.turns.front().reply.clear();
    std::erase(agent.client_events, "interruption");
  });
  call.until(EventKind::agent_silent, 2);
  scene().hang_up(call);
  auto const& result = call.result();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(call.until(EventKind::dial_ended).event.detail, "busy");
  EXPECT_EQ(result.streams.size(), 2U);
  auto const conversations = scene().conversations(number);
  ASSERT_EQ(conversations.size(), 2U);
  ASSERT_FALSE(conversations[1].contextual_updates.empty());
  EXPECT_THAT(conversations[1].contextual_updates[0], HasSubstr("busy"));
  EXPECT_THAT(conversations[1].contextual_updates[0], HasSubstr("I will connect you."));
  EXPECT_TRUE(position(conversations[1].agent_audio, result.heard)) << "the caller did not hear the agent again";
  auto const record = scene().record(call.sid());
  EXPECT_EQ(record.ending, "caller_hung_up");
  EXPECT_EQ(record.stream_count, 2);
}

TEST_F(Tools, a_transfer_to_a_number_that_nobody_allowed_is_refused_with_a_reason) {
  auto const number =
      scene().hire(agent_doing({tool("transfer_to_number", std::string{R"({"transfer_number":")"} + stranger + "\"}"),
                                words("I may not.", 500ms)}),
                   may_transfer);
  scene().open();
  auto const call = scene().place(asking(scene().plan(number)));
  call.until(EventKind::agent_silent, 2);
  scene().hang_up(call);
  call.result();
  EXPECT_TRUE(call.seen(EventKind::dialling).empty());
  auto const conversation = scene().conversations(number).at(0);
  ASSERT_EQ(conversation.tools.size(), 1U);
  EXPECT_TRUE(conversation.tools[0].is_error);
  EXPECT_THAT(conversation.tools[0].result, HasSubstr("number_not_allowed"));
}

TEST_F(Tools, a_transfer_that_the_carrier_refuses_is_reported_to_the_agent) {
  auto const number =
      scene().hire(agent_doing({tool("transfer_to_number"), words("It did not work.", 500ms)}), may_transfer);
  scene().open();
  scene().with_carrier([](sim::twilio::TwilioSim& sim) {
    sim.rest().inject({.status = 500, .times = 5, .delay = 0ms, .path = "/Calls"});
    return 0;
  });
  auto const call = scene().place(asking(scene().plan(number)));
  call.until(EventKind::agent_silent, 2);
  scene().hang_up(call);
  call.result();
  auto const conversation = scene().conversations(number).at(0);
  ASSERT_EQ(conversation.tools.size(), 1U);
  EXPECT_TRUE(conversation.tools[0].is_error) << conversation.tools[0].result;
  EXPECT_THAT(conversation.tools[0].result, HasSubstr("carrier"));
}

}  // namespace
}  // namespace flow
