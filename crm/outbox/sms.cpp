#include "crm/outbox/sms.h"

#include <nlohmann/json.hpp>

#include "crm/outbox/http_fault.h"
#include "crm/store/outgoing_messages.h"

namespace crm {
namespace {

using base::Async;
using Kind = DeliveryFault::Kind;

/// The carrier's clock may be behind ours.
constexpr auto clock_slack = std::chrono::seconds{60};

std::string message_id_in(OutboxRow const& row) {
  auto const payload = nlohmann::json::parse(row.payload_json, nullptr, /*allow_exceptions=*/false);
  if (!payload.is_object()) return {};
  auto const id = payload.find("message_id");
  return id != payload.end() && id->is_string() ? id->get<std::string>() : std::string{};
}

std::unexpected<DeliveryFault> rejected(std::string detail) {
  return std::unexpected{DeliveryFault{.kind = Kind::rejected, .detail = std::move(detail)}};
}

}  // namespace

Async<Delivered<Receipt>> SmsDeliverer::deliver(OutboxRow row, base::Instant deadline) {
  auto session = pool_.until(deadline);
  auto const id = message_id_in(row);
  auto const found = co_await find_outgoing_message(session, row.tenant, id);
  if (!found) co_return std::unexpected{not_sent(found.error())};
  if (!*found) co_return rejected("there is no such message");
  auto const& message = **found;
  if (message.provider_sid) co_return Receipt{.remote_id = *message.provider_sid};

  SmsText const text{row.tenant, id, message.account, message.from, message.to, message.body};
  auto const outcome = co_await send(text, row, deadline);
  if (!outcome && outcome.error().kind == Kind::rejected) {
    auto const noted = co_await note_message_failed(session, row.tenant, id);
    (void)noted;  // the parked row says it too
  }
  if (!outcome) co_return outcome;
  auto const noted = co_await note_message_accepted(session, row.tenant, id, outcome->remote_id);
  // Its receipt counts more than its id here: the outbox keeps that too.
  (void)noted;
  co_return outcome;
}

Async<Delivered<Receipt>> SmsDeliverer::send(SmsText message, OutboxRow const& row, base::Instant deadline) {
  if (row.maybe_sent) {
    auto const alike = co_await sender_.sent_since(message, row.created_at - clock_slack, deadline);
    if (!alike) {
      // Nothing was sent now, but what was unknown before still is.
      auto fault = alike.error();
      if (fault.kind == Kind::ambiguous) fault.kind = Kind::not_sent;
      co_return std::unexpected{std::move(fault)};
    }
    auto session = pool_.until(deadline);
    auto const earlier = co_await first_unknown_message(session, *alike);
    if (!earlier) co_return std::unexpected{not_sent(earlier.error())};
    if (*earlier) co_return Receipt{.remote_id = **earlier};
  }
  auto outcome = co_await sender_.send(std::move(message), deadline);
  co_return outcome;
}

}  // namespace crm
