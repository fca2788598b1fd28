#include "loadtest/chaos/outside.h"

namespace sim::chaos {
namespace {

elevenlabs::CallTools tool(std::string name, std::string parameters) {
  elevenlabs::ToolCall call;
  call.name = std::move(name);
  call.parameters = std::move(parameters);
  call.on_error = elevenlabs::Say{"I am sorry.", {}};
  return {{std::move(call)}};
}

}  // namespace

elevenlabs::Agent booking_agent(std::size_t slot, bool chats_on) {
  auto const chosen = "{{find_slots.slots." + std::to_string(slot) + ".start}}";
  elevenlabs::Agent agent;
  agent.id = agent_id;
  agent.name = "Front desk";
  agent.auth = true;
  agent.client_events = elevenlabs::default_client_events();
  agent.first_message = elevenlabs::Say{"Hello.", {}};
  agent.behaviour.turn_silence_ms = 150;
  elevenlabs::Turn turn;
  turn.heard = "An appointment, please.";
  turn.repeat = !chats_on;
  turn.reply = {tool("find_slots", R"({"service":"check-up"})"),
                tool("book_appointment", R"({"start":")" + chosen + R"(","name":"Ann Li","service":"check-up"})"),
                elevenlabs::Say{"Done.", {}}};
  agent.turns = {std::move(turn)};
  if (!chats_on) return agent;
  elevenlabs::Turn chat;
  chat.heard = "Is there parking?";
  chat.repeat = true;
  chat.reply = {elevenlabs::Say{"There is.", {}}};
  agent.turns.push_back(std::move(chat));
  return agent;
}

}  // namespace sim::chaos
