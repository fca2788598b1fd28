#include "crm/outbox/enqueue.h"

#include <utility>

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query tell_integrations{
    "enqueue_event",
    "insert into outbox (tenant_id, id, target, integration_id, event, order_key, dedupe_key, call_id, contact_id, "
    "payload) "
    "select i.tenant_id, 'obx_' || md5(i.tenant_id || ':' || $2::text || ':' || $6::text || ':' || i.id), "
    "'integration', i.id, $2::text, coalesce($4::text, $3::text, $5::text, ''), "
    "$2::text || ':' || $6::text || ':' || i.id, $3, $4, "
    "jsonb_build_object('event', $2::text, 'tenant_id', i.tenant_id, 'call_id', $3::text, 'contact_id', $4::text, "
    "'appointment_id', $5::text, "
    "'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), 'data', $7::jsonb) "
    "from integrations i where i.tenant_id = $1 and i.status = 'active' "
    "and (i.events = '{}' or $2::text = any(i.events)) "
    "on conflict (tenant_id, dedupe_key) do nothing"};

constexpr pg::Query queue_sms{
    "enqueue_sms",
    "with named as (select 'msg_' || md5($1::text || ':' || $8::text) as message_id, "
    "'obx_' || md5($1::text || ':sms:' || $8::text) as outbox_id), "
    "wanted as (select n.* from named n where not exists (select 1 from contacts c where c.tenant_id = $1 "
    "and (c.do_not_contact or c.consent #>> '{sms,given}' = 'false') and (c.id = $6 or c.phone_e164 = $3 or exists "
    "(select 1 from contact_phones p "
    "where p.tenant_id = c.tenant_id and p.contact_id = c.id and p.e164 = $3)))), "
    "written as (insert into messages (tenant_id, id, direction, from_number, to_number, body, contact_id, call_id, "
    "appointment_id) select $1, message_id, 'outbound', $2, $3, $4, $6, $5, $7 from wanted "
    "on conflict (tenant_id, id) do nothing), "
    "queued as (insert into outbox (tenant_id, id, target, event, order_key, dedupe_key, call_id, contact_id, payload) "
    "select $1, outbox_id, 'sms', 'sms.send', case when $9::bool then '' else 'later:' end || "
    "coalesce($6::text, $5::text, $3::text), 'sms:' || $8::text, $5, $6, "
    "jsonb_build_object('message_id', message_id, 'answers_caller', $9::bool) from wanted on conflict (tenant_id, "
    "dedupe_key) do nothing) "
    "select 1 from wanted"};

constexpr std::size_t longest_sms = 1600;

/// The first `limit` characters of a text that is UTF-8.
std::string first_characters(std::string text, std::size_t limit) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const starts_one = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts_one && ++seen > limit) {
      text.resize(i);
      break;
    }
  }
  return text;
}

std::string occasion_of(EventToTell const& event) {
  if (!event.occasion.empty()) return event.occasion;
  if (event.appointment) return *event.appointment;
  if (event.call) return event.call->text();
  return event.contact ? event.contact->text() : "";
}

}  // namespace

Async<Result<>> enqueue_event(pg::Session& session, EventToTell event) {
  auto const occasion = occasion_of(event);
  pg::Params params{event.tenant, event.event, event.call, event.contact, event.appointment, occasion, event.data_json};
  auto const rows = co_await session.run(tell_integrations, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<bool>> enqueue_sms(pg::Session& session, SmsToSend message) {
  auto const body = first_characters(pg::storable_text(message.body), longest_sms);
  pg::Params params{message.tenant,        message.from,    message.to,          body,
                    message.call,          message.contact, message.appointment, message.occasion,
                    message.answers_caller};
  auto const rows = co_await session.run(queue_sms, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return !rows->empty();
}

}  // namespace crm
