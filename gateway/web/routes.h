#pragma once
#include <functional>

#include "gateway/agent/elevenlabs/webhook_door.h"
#include "gateway/net/router.h"
#include "gateway/twilio/message_status.h"
#include "gateway/twilio/voice_routes.h"

namespace gateway::web {

/// Every URL of the public port. `media` takes a media socket that has asked to be upgraded, on whatever core it
/// arrived.
void add_public_routes(net::Router& router, twilio::VoiceRoutes& voice,
                       std::function<base::Async<>(net::PendingUpgrade)> media);

/// That under which Twilio says what became of our text messages.
void add_message_routes(net::Router& router, twilio::MessageStatusDoor& door);

/// Those under which the agent's provider speaks to us.
void add_agent_webhook_routes(net::Router& router, elevenlabs::WebhookDoor& door);

}  // namespace gateway::web
