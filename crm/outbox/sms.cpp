#include "crm/outbox/sms.h"

#include <nlohmann/json.hpp>

#include "crm/outbox/calling_hours.h"
#include "crm/outbox/http_fault.h"
#include "crm/store/outgoing_messages.h"

namespace crm {
namespace {

using base::Async;
using Kind = DeliveryFault::Kind;

/// The carrier's clock may be behind ours.
constexpr auto clock_slack = std::chrono::seconds{60};

/// When nobody can say what time it is at the recipient's.
constexpr auto until_a_zone_is_known = std::chrono::hours{1};

struct Payload {
  std::string message_id;
  bool answers_caller = false;
};

Payload payload_of(OutboxRow const& row) {
  Payload payload;
  auto const json = nlohmann::json::parse(row.payload_json, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return payload;
  auto const id = json.find("message_id");
  if (id != json.end() && id->is_string()) payload.message_id = id->get<std::string>();
  auto const answers = json.find("answers_caller");
  payload.answers_caller = answers != json.end() && answers->is_boolean() && answers->get<bool>();
  return payload;
}

/// Nothing when the time for it has come.
std::optional<DeliveryFault> too_early(OutgoingMessage const& message, bool answers_caller, Wall created_at, Wall now) {
  if (answers_caller && now < created_at + answer_span) return std::nullopt;
  auto const from = may_write_from(now, message.calling_hours, message.recipient_timezone, message.timezone);
  if (from && *from <= now) return std::nullopt;
  DeliveryFault fault{.kind = Kind::not_sent, .detail = "waits for the recipient's calling hours"};
  if (!from) fault.detail = "the recipient's time zone is not known";
  auto const wait = from ? *from - now : Wall::duration{until_a_zone_is_known};
  fault.retry_after = std::chrono::ceil<std::chrono::milliseconds>(wait);
  return fault;
}

std::unexpected<DeliveryFault> rejected(std::string detail) {
  return std::unexpected{DeliveryFault{.kind = Kind::rejected, .detail = std::move(detail)}};
}

}  // namespace

Async<Delivered<Receipt>> SmsDeliverer::deliver(OutboxRow row, base::Instant deadline) {
  auto session = pool_.until(deadline);
  auto const payload = payload_of(row);
  auto const& id = payload.message_id;
  auto const found = co_await find_outgoing_message(session, row.tenant, id);
  if (!found) co_return std::unexpected{not_sent(found.error())};
  if (!*found) co_return rejected("there is no such message");
  auto const& message = **found;
  if (message.provider_sid) co_return Receipt{.remote_id = *message.provider_sid};
  if (message.recipient_refuses) {
    auto const noted = co_await note_message_failed(session, row.tenant, id);
    (void)noted;  // the parked row says it too
    co_return rejected("the recipient does not want to be contacted");
  }
  if (auto early = too_early(message, payload.answers_caller, row.created_at, time_.wall()))
    co_return std::unexpected{*std::move(early)};

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
