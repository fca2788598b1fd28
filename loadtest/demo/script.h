#pragma once
#include "loadtest/sim/elevenlabs/scenario.h"
#include "loadtest/sim/twilio/plan.h"

namespace sim::demo {

/// The receptionist of the demo: greets, is interrupted in a long answer, gives a short one, says goodbye and hangs up.
elevenlabs::Scenario receptionist(std::string api_key);

/// The caller of the demo, in spoken audio: asks, interrupts, says goodbye.
twilio::Caller caller();

}  // namespace sim::demo
