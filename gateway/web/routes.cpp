#include "gateway/web/routes.h"

namespace gateway::web {
namespace {

constexpr std::size_t twilio_form_bytes = 64 * 1024;

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

}  // namespace gateway::web
