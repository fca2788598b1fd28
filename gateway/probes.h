#pragma once
#include <vector>

#include "config/doctor.h"
#include "config/settings.h"

namespace gateway {

/// Asks the outside what settings alone cannot tell: is there a database and has it numbers, do Twilio and ElevenLabs
/// accept our credentials. Blocks for some seconds at most; for `switchboard doctor`.
std::vector<config::ProbeResult> probe(config::Settings const& settings);

}  // namespace gateway
