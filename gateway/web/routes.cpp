#include "gateway/web/routes.h"

namespace gateway::web {
namespace {

constexpr std::size_t twilio_form_bytes = 64 * 1024;
/// A transcript of an hour with all its metrics.
constexpr std::size_t post_call_bytes = 4 * 1024 * 1024;

}  // namespace

void add_public_routes(net::Router& router, twilio::VoiceRoutes& voice,
                       std::function<base::Async<>(net::PendingUpgrade)> media) {
  using net::Request;
  router.on(
      "POST", "/api/twilio/voice-callback", [&voice](Request r) { return voice.voice(std::move(r)); },
      twilio_form_bytes);
  router.on(
      "POST", "/api/twilio/voice-resume", [&voice](Request r) { return voice.resume(std::move(r)); },
      twilio_form_bytes);
  router.on(
      "POST", "/api/twilio/voice-fallback", [&voice](Request r) { return voice.fallback(std::move(r)); },
      twilio_form_bytes);
  router.on(
      "POST", "/api/twilio/status-callback", [&voice](Request r) { return voice.status(std::move(r)); },
      twilio_form_bytes);
  router.on_upgrade("/media/twilio/*", std::move(media));
}

void add_message_routes(net::Router& router, twilio::MessageStatusDoor& door) {
  router.on(
      "POST", twilio::message_status_path, [&door](net::Request r) { return door.receive(std::move(r)); },
      twilio_form_bytes);
}

void add_agent_webhook_routes(net::Router& router, elevenlabs::WebhookDoor& door) {
  router.on(
      "POST", "/api/elevenlabs/webhook", [&door](net::Request r) { return door.receive(std::move(r)); },
      post_call_bytes);
}

}  // namespace gateway::web
