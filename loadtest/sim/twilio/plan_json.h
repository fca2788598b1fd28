#pragma once
#include <string>
#include <string_view>

#include "loadtest/sim/twilio/plan.h"
#include "loadtest/sim/twilio/rest_twin.h"
#include "loadtest/sim/twilio/result.h"

namespace sim::twilio {

/// Reads a plan as the control endpoint takes it: the members of CallPlan, Caller and CalleePlan by their own names,
/// times with the suffix `_ms`; `wav` and `barge_in_wav` name files on this machine. An unknown member is a
/// Fault::protocol that quotes it. Without `wav` the caller says the default speech; "wav":"" is silence.
base::Result<CallPlan> plan_from_json(std::string_view text);

base::Result<RestFault> fault_from_json(std::string_view text);

/// {"at_ms","kind","detail","ms","line"}; `line` is what a person reads.
std::string to_json(Event const& event);

/// All of a result but its audio and events.
std::string to_json(CallResult const& result);

}  // namespace sim::twilio
