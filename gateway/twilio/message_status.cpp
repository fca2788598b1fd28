#include "gateway/twilio/message_status.h"

#include <boost/asio/co_spawn.hpp>

#include "crm/store/outgoing_messages.h"
#include "gateway/twilio/webhook.h"

namespace gateway::twilio {
namespace {

constexpr auto write_limit = std::chrono::seconds{5};

net::Response forged() {
  return net::error_response(403, "FORBIDDEN", "the signature is missing or wrong");
}

}  // namespace

base::Result<MessageStatus> decode_message_status(net::Form const& form) {
  auto const sid = net::find(form, "MessageSid");
  if (!base::is_twilio_sid(sid, "SM") && !base::is_twilio_sid(sid, "MM"))
    return base::fail(base::Fault::protocol, "no MessageSid");
  MessageStatus found{std::string{sid}, {}};
  auto const status = net::find(form, "MessageStatus");
  for (auto const* known : {"sent", "delivered", "undelivered", "failed"})
    if (status == known) found.status = known;
  if (status == "read") found.status = "delivered";
  if (status == "canceled") found.status = "failed";
  return found;
}

base::Async<net::Response> MessageStatusDoor::receive(net::Request request) {
  auto const signature = request.headers.find("X-Twilio-Signature");
  if (signature.empty()) co_return forged();
  auto const form = net::decode_form(request.body);
  if (!form) co_return net::error_response(400, "BAD_REQUEST", "the form body cannot be read");
  auto const tokens = services_.accounts.tokens(claimed_account(*form));
  if (!services_.verifier.verify_form(tokens, request.target, *form, signature)) co_return forged();
  auto status = decode_message_status(*form);
  auto const query = net::decode_form(request.query());
  if (!status || !query) co_return net::error_response(400, "BAD_REQUEST", "not the status of a message");
  if (status->status.empty()) co_return net::Response::empty(204);
  base::TenantId tenant{std::string{net::find(*query, "tenant")}};
  std::string message{net::find(*query, "message")};
  auto response = co_await asio::co_spawn(
      services_.back_office, keep(std::move(*status), std::move(tenant), std::move(message)), asio::use_awaitable);
  co_return response;
}

base::Async<net::Response> MessageStatusDoor::keep(MessageStatus status, base::TenantId tenant, std::string message) {
  auto session = services_.database.until(services_.time.now() + write_limit);
  auto const kept = co_await crm::note_message_progress(session, std::move(tenant), std::move(message),
                                                        std::move(status.sid), std::move(status.status));
  if (kept) co_return net::Response::empty(204);
  services_.log.warning("status of a message not kept", {{"detail", kept.error().detail}});
  co_return net::error_response(503, "UNAVAILABLE", "try again later");
}

}  // namespace gateway::twilio
