#include "gateway/agent/elevenlabs/webhook_door.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>

#include "crm/store/inbox.h"
#include "gateway/agent/elevenlabs/post_call.h"
#include "gateway/agent/elevenlabs/webhook_signature.h"
#include "gateway/base/ids.h"

namespace gateway::elevenlabs {
namespace {

/// They repeat a delivery with the same body: so conversation, type and time of the event name it. Without them, its
/// bytes do.
std::string key_of(PostCallEvent const& event, std::string_view body) {
  auto const plain = [](std::string const& text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
  };
  if (plain(event.conversation_id) && plain(event.type) && event.event_unix)
    return event.conversation_id + ":" + event.type + ":" + std::to_string(*event.event_unix);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<std::uint8_t const*>(body.data()), body.size(), digest.data());
  return "sha256:" + base::to_hex(digest);
}

std::int64_t unix_now(base::TimeSource const& time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.wall().time_since_epoch()).count();
}

net::Response refusal() {
  return net::error_response(401, "UNAUTHORIZED", "the request is not signed as it should be");
}

net::Response later() {
  auto response = net::error_response(503, "UNAVAILABLE", "try again later");
  response.headers.add("Retry-After", "30");
  return response;
}

crm::InboxDelivery delivery_of(PostCallEvent const& event, std::string const& body) {
  crm::InboxDelivery delivery{inbox_source, key_of(event, body), body, crm::InboxStatus::received, {}};
  if (!event.call) {
    bool const of_a_call = event.type == "post_call_transcription";
    delivery.status = of_a_call ? crm::InboxStatus::quarantined : crm::InboxStatus::applied;
    delivery.error = of_a_call ? "data: missing" : "nothing to do for this type";
  } else if (event.conversation_id.empty()) {
    delivery.status = crm::InboxStatus::quarantined;
    delivery.error = "conversation_id: missing";
  }
  return delivery;
}

}  // namespace

base::Async<net::Response> WebhookDoor::receive(net::Request request) {
  auto const verdict = glance_at_signature(request.headers.find("ElevenLabs-Signature"), unix_now(services_.time));
  if (services_.secret.empty() || verdict != SignatureVerdict::good) co_return counted("unsigned", refusal());
  auto response = co_await asio::co_spawn(services_.back_office, take_in(request), asio::use_awaitable);
  co_return response;
}

base::Async<net::Response> WebhookDoor::take_in(net::Request const& request) {
  auto const verdict = check_signature(services_.secret, request.headers.find("ElevenLabs-Signature"), request.body,
                                       unix_now(services_.time));
  if (verdict != SignatureVerdict::good) {
    services_.log.debug("agent webhook refused", {{"why", to_string(verdict)}});  // anybody can have these written
    co_return counted("unsigned", refusal());
  }
  auto const event = read_post_call_event(request.body);
  if (!event) {
    services_.log.warning("agent webhook unreadable", {{"why", event.error().detail}});
    co_return counted("unreadable", net::error_response(400, "BAD_REQUEST", "not an event"));
  }
  // We have recordings of our own, and what is not needed is not kept.
  if (event->type == "post_call_audio") co_return counted("not_needed", net::Response::json(200, "{}"));
  auto session = services_.database.until(services_.time.now() + services_.write_limit);
  auto delivery = delivery_of(*event, request.body);
  bool const to_apply = delivery.status == crm::InboxStatus::received;
  auto const kept = co_await crm::keep_delivery(session, std::move(delivery));
  if (!kept) {
    services_.log.warning("agent webhook not kept", {{"fault", base::to_string(kept.error().fault)}});
    co_return counted("not_kept", later());
  }
  if (*kept && to_apply && services_.arrived) services_.arrived();
  co_return counted(*kept ? "kept" : "repeated", net::Response::json(200, "{}"));
}

/// Any thread.
net::Response WebhookDoor::counted(char const* result, net::Response response) {
  services_.metrics
      .counter("switchboard_agent_webhooks_total",
               "Post-call webhooks of the agent's provider, by what became of them.", {{"result", result}})
      .Increment();
  return response;
}

}  // namespace gateway::elevenlabs
