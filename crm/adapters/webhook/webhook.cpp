#include "crm/adapters/webhook/webhook.h"

#include <algorithm>

#include "crm/adapters/webhook/message.h"
#include "crm/adapters/webhook/signature.h"
#include "crm/outbox/http_fault.h"
#include "crm/outbox/retry_after.h"
#include "crm/store/integrations.h"

namespace crm::webhook {
namespace {

using base::Async;
using base::Fault;
using std::chrono::milliseconds;
using Kind = DeliveryFault::Kind;

constexpr milliseconds longest_wait{15'000};  // Standard Webhooks 1.0: 15 to 30 s
constexpr unsigned gone = 410;

std::unexpected<DeliveryFault> fault(Kind kind, std::string detail) {
  return std::unexpected{DeliveryFault{.kind = kind, .detail = std::move(detail)}};
}

bool passes(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::cancelled;
}

/// Statuses that speak of this body: sending it again changes nothing. What else is wrong, the receiver may mend.
bool is_about_the_body(unsigned status) {
  return status == 400 || status == 406 || status == 413 || status == 415 || status == 422;
}

}  // namespace

Delivered<Receipt> receipt_from(net::Response const& answer, base::TimeSource::Wall now) {
  auto const status = static_cast<int>(answer.status);
  std::string request_id{answer.headers.find("x-request-id")};
  if (answer.status >= 200 && answer.status < 300)
    return Receipt{.created = true, .http_status = status, .request_id = std::move(request_id)};
  DeliveryFault found{.kind = Kind::unavailable,
                      .detail = "the receiver answered " + std::to_string(status),
                      .http_status = status,
                      .request_id = std::move(request_id)};
  found.retry_after = parse_retry_after(answer.headers.find("retry-after"), now);
  if (answer.status == 429 || (answer.status == 503 && found.retry_after)) found.kind = Kind::rate_limited;
  if (answer.status == gone || is_about_the_body(answer.status)) found.kind = Kind::rejected;
  return std::unexpected{std::move(found)};
}

Async<Delivered<Receipt>> Webhook::deliver(OutboxRow row, base::Instant deadline) {
  auto session = pool_.until(deadline);
  auto const tenant = row.tenant;
  auto const id = row.integration.value_or(IntegrationId{});
  auto const integration = co_await find_integration(session, tenant, id);
  if (!integration) co_return std::unexpected{not_sent(integration.error())};
  if (!*integration) co_return fault(Kind::rejected, "there is no such integration");
  if ((*integration)->status != IntegrationStatus::active) co_return fault(Kind::not_sent, "the integration rests");
  auto outcome = co_await post(**integration, std::move(row), deadline);
  if (outcome || outcome.error().http_status != static_cast<int>(gone)) co_return outcome;
  auto const disabled = co_await set_integration_status(session, tenant, id, IntegrationStatus::disabled);
  if (!disabled) co_return fault(Kind::unavailable, "the receiver is gone, which could not be noted");
  co_return outcome;
}

Async<Delivered<Receipt>> Webhook::test(Integration integration, base::Instant deadline) {
  OutboxRow row;
  row.id = base::new_id("obx");
  row.event = "ping";
  row.created_at = time_.wall();
  row.payload_json = "{}";
  auto outcome = co_await post(std::move(integration), std::move(row), deadline);
  co_return outcome;
}

Async<Delivered<Receipt>> Webhook::post(Integration integration, OutboxRow row, base::Instant deadline) {
  auto const settings = read_settings(integration.settings_json);
  if (!settings) co_return fault(Kind::needs_reauth, settings.error().detail);
  auto const secret = co_await reveal_(integration, deadline);
  if (!secret && passes(secret.error().fault)) co_return std::unexpected{not_sent(secret.error())};
  if (!secret) co_return fault(Kind::needs_reauth, "the signing secret cannot be opened");
  auto const key = read_signing_secret(*secret);
  if (!key) co_return fault(Kind::needs_reauth, "the signing secret is none");

  net::HttpCall call;
  call.method = "POST";
  call.url = settings->url;
  call.body = body_of(row);
  auto const timestamp = std::chrono::duration_cast<std::chrono::seconds>(time_.wall().time_since_epoch()).count();
  call.headers.add("Content-Type", "application/json");
  call.headers.add("User-Agent", "Switchboard");
  call.headers.add("webhook-id", row.id);
  call.headers.add("webhook-timestamp", std::to_string(timestamp));
  call.headers.add("webhook-signature", sign(*key, row.id, timestamp, call.body));
  auto const left = std::chrono::duration_cast<milliseconds>(deadline - time_.now());
  if (left <= milliseconds{0}) co_return fault(Kind::not_sent, "no time was left");
  call.timeout = std::min(left, longest_wait);
  auto const answer = co_await http_.send(std::move(call));
  if (!answer) co_return std::unexpected{fault_of(answer.error())};
  co_return receipt_from(*answer, time_.wall());
}

}  // namespace crm::webhook
