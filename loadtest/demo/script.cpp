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
constexpr auto interjection_at = milliseconds{9500};
constexpr auto farewell_at = milliseconds{18000};

twilio::Mulaw spoken(char const* file) {
  auto speech = twilio::load_speech(file);
  return speech ? std::move(*speech) : twilio::default_speech();
}

std::size_t bytes_in(milliseconds length) {
  return static_cast<std::size_t>(length.count()) * media::telephone_rate / 1000;
}

elevenlabs::Turn answer(std::string heard, std::string text) {
  elevenlabs::Turn turn;
  turn.heard = std::move(heard);
  turn.reply.push_back(elevenlabs::Say{std::move(text), {}});
  return turn;
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
      answer("When are you open?",
             "We are open from Monday to Friday from eight in the morning until six in the evening. On Saturdays "
             "we open at nine and close at noon, and on public holidays our emergency service answers the phone."));
  agent.turns.push_back(answer("And on Saturdays?", "On Saturdays we are open from nine until noon."));
  agent.turns.push_back(answer("Thank you, goodbye.", "You are welcome. Goodbye!"));
  agent.turns.back().reply.push_back(elevenlabs::EndCall{"the caller said goodbye"});
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
