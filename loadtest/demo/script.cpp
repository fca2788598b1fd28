#include "loadtest/demo/script.h"

#include "loadtest/sim/twilio/speech.h"
#include "media/frame.h"

namespace sim::demo {
namespace {

using std::chrono::milliseconds;

// Human voices that Debian's alsa-utils installs for its speaker test.
constexpr char const* question = "/usr/share/sounds/alsa/Front_Center.wav";
constexpr char const* interjection = "/usr/share/sounds/alsa/Rear_Left.wav";
constexpr char const* farewell = "/usr/share/sounds/alsa/Side_Right.wav";

constexpr auto question_at = milliseconds{4500};
constexpr auto interjection_at = milliseconds{12000};
constexpr auto farewell_at = milliseconds{21500};

twilio::Mulaw spoken(char const* file) {
  auto speech = twilio::load_speech(file);
  return speech ? std::move(*speech) : twilio::default_speech();
}

std::size_t bytes_in(milliseconds length) {
  return static_cast<std::size_t>(length.count()) * media::telephone_rate / 1000;
}

constexpr char const* no_calendar = "I am sorry, I cannot see our calendar right now. Somebody will call you back.";

elevenlabs::Turn answer(std::string heard, std::vector<elevenlabs::Step> reply) {
  elevenlabs::Turn turn;
  turn.heard = std::move(heard);
  turn.reply = std::move(reply);
  return turn;
}

elevenlabs::Say say(std::string text) {
  return {std::move(text), {}};
}

/// Without an answer the agent says that it cannot see the calendar, and that is all of its turn.
elevenlabs::CallTools tool(std::string name, std::string parameters) {
  elevenlabs::ToolCall call;
  call.name = std::move(name);
  call.parameters = std::move(parameters);
  call.on_error = say(no_calendar);
  return {{std::move(call)}};
}

}  // namespace

elevenlabs::Scenario receptionist(std::string api_key) {
  elevenlabs::Agent agent;
  agent.id = "agent_receptionist";
  agent.name = "Front desk";
  agent.auth = true;
  agent.client_events = elevenlabs::default_client_events();
  agent.first_message = elevenlabs::Say{"Thank you for calling {{tenant_name}}. How can I help you?", {}};
  agent.turns.push_back(
      answer("I would like an appointment for a check-up, please.",
             {tool("lookup_caller", "{}"), tool("find_slots", R"({"service":"check-up"})"),
              say("Of course. The next free time is {{find_slots.slots.0.say}}. After that there would be "
                  "{{find_slots.slots.1.say}}, and {{find_slots.slots.2.say}}. Which of these would you like best?")}));
  agent.turns.push_back(answer(
      "The first one, please. My name is Ann Li.",
      {tool("book_appointment", R"({"start":"{{find_slots.slots.0.start}}","name":"Ann Li","service":"check-up"})"),
       say("{{book_appointment.say}}")}));
  agent.turns.push_back(answer("Yes, thank you. Goodbye.", {say("We look forward to seeing you. Goodbye!"),
                                                            elevenlabs::EndCall{"the caller said goodbye"}}));
  elevenlabs::Scenario scenario;
  scenario.api_keys = {std::move(api_key)};
  scenario.agents.push_back(std::move(agent));
  return scenario;
}

twilio::Caller caller() {
  twilio::Caller caller;
  caller.speech_at = question_at;
  caller.speech = spoken(question);
  caller.barge_in_at = interjection_at;
  // The farewell follows once the agent has answered the interruption.
  auto& words = caller.barge_in_speech;
  words = spoken(interjection);
  words.resize(std::max(words.size(), bytes_in(farewell_at - interjection_at)), media::mulaw_silence);
  auto const last = spoken(farewell);
  words.insert(words.end(), last.begin(), last.end());
  caller.hang_up_after = std::chrono::seconds{60};
  return caller;
}

}  // namespace sim::demo
