#pragma once
#include <functional>

#include "gateway/net/router.h"
#include "gateway/twilio/voice_routes.h"

namespace gateway::web {

/// Every URL of the public port. `media` takes a media socket that has asked to be upgraded, on whatever core it
/// arrived.
void add_public_routes(net::Router& router, twilio::VoiceRoutes& voice,
                       std::function<base::Async<>(net::PendingUpgrade)> media);

}  // namespace gateway::web
