#pragma once
// The agent of the scenario that ships, who books appointments, and a caller who wants one.
#include "tests/flow/scene.h"

namespace flow {

/// Each sentence of the agent takes a second.
inline Agent receptionist() {
  auto agent = sim::elevenlabs::load_scenario(SOURCE_ROOT "/loadtest/sim/scenarios/booking.json").agents.at(0);
  agent.id.clear();
  agent.first_message->audio.length = 1s;
  for (auto& turn : agent.turns)
    for (auto& step : turn.reply)
      if (auto* say = std::get_if<Say>(&step)) say->audio.length = 1s;
  return agent;
}

/// Speaks three times, with time to listen in between.
inline CallPlan asking(CallPlan plan) {
  constexpr auto pause = 3500ms;
  auto& words = plan.caller.speech;
  for (int i = 0; i < 3; ++i) {
    auto const spoken = speech(600ms);
    words.insert(words.end(), spoken.begin(), spoken.end());
    words.resize(words.size() + static_cast<std::size_t>(pause.count()) * 8, media::mulaw_silence);
  }
  plan.caller.speech_at = 1500ms;
  return plan;
}

}  // namespace flow
