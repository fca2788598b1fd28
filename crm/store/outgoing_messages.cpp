#include "crm/store/outgoing_messages.h"

#include <nlohmann/json.hpp>

#include "crm/store/business_hours_json.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query one{
    "find_outgoing_message",
    "with message as (select * from messages where tenant_id = $1 and id = $2 and direction = 'outbound'), "
    "ids as (select contact_id as id, false as owns_it from message "
    "union all select c.id, true from message m join contacts c on c.tenant_id = m.tenant_id and c.phone_e164 = "
    "m.to_number "
    "union all select p.contact_id, true from message m join contact_phones p on p.tenant_id = m.tenant_id and p.e164 "
    "= "
    "m.to_number), "
    "recipients as (select c.timezone, c.do_not_contact, c.consent, c.id, i.owns_it from ids i "
    "join contacts c on c.tenant_id = $1 and c.id = i.id) "
    "select m.from_number, m.to_number, m.body, m.provider_sid, c.account_sid, t.calling_hours, t.timezone, "
    "(select r.timezone from recipients r where r.timezone is not null order by r.owns_it desc, r.id limit 1) "
    "as recipient_timezone, "
    "exists (select 1 from recipients r where r.do_not_contact or r.consent #>> '{sms,given}' = 'false') "
    "as recipient_refuses "
    "from message m join tenants t on t.id = m.tenant_id "
    "left join calls c on c.tenant_id = m.tenant_id and c.id = m.call_id"};
constexpr pg::Query unknown{
    "first_unknown_message",
    "select sid from jsonb_array_elements_text($1::jsonb) with ordinality as given (sid, place) "
    "where not exists (select 1 from messages m where m.provider_sid = sid) order by place limit 1"};
constexpr pg::Query accepted{
    "note_message_accepted",
    "update messages set provider_sid = $3, status = case when status = 'queued' then 'sent' else status end "
    "where tenant_id = $1 and id = $2"};
constexpr pg::Query failed{
    "note_message_failed",
    "update messages set status = 'failed' where tenant_id = $1 and id = $2 and status = 'queued'"};
constexpr pg::Query progress{
    "note_message_progress",
    "update messages set status = $4, provider_sid = coalesce(provider_sid, $3) where tenant_id = $1 and id = $2 "
    "and direction = 'outbound' and (provider_sid is null or provider_sid = $3) "
    "and (status = 'queued' or status = 'sent' and $4 <> 'sent')"};

Async<Result<>> change(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace

Async<Result<std::optional<OutgoingMessage>>> find_outgoing_message(pg::Session& session, base::TenantId tenant,
                                                                    std::string id) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(one, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<OutgoingMessage> message;
  if (rows->empty()) co_return message;
  auto const row = (*rows)[0];
  message.emplace();
  if (auto account = row.text_if_any("account_sid")) message->account = base::AccountSid{*std::move(account)};
  message->from = row.text("from_number");
  message->to = row.text("to_number");
  message->body = row.text("body");
  message->provider_sid = row.text_if_any("provider_sid");
  message->calling_hours = read_calling_hours(row.text("calling_hours"));
  message->timezone = row.text("timezone");
  message->recipient_timezone = row.text_if_any("recipient_timezone");
  message->recipient_refuses = row.boolean("recipient_refuses");
  co_return message;
}

Async<Result<std::optional<std::string>>> first_unknown_message(pg::Session& session,
                                                                std::vector<std::string> provider_sids) {
  pg::Params params{nlohmann::json(provider_sids).dump()};
  auto const rows = co_await session.run(unknown, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<std::string> sid;
  if (!rows->empty()) sid = (*rows)[0].text("sid");
  co_return sid;
}

Async<Result<>> note_message_accepted(pg::Session& session, base::TenantId tenant, std::string id,
                                      std::string provider_sid) {
  pg::Params params{tenant, id, provider_sid};
  return change(session, accepted, std::move(params));
}

Async<Result<bool>> note_message_progress(pg::Session& session, base::TenantId tenant, std::string id,
                                          std::string provider_sid, std::string status) {
  pg::Params params{tenant, id, provider_sid, status};
  auto const rows = co_await session.run(progress, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

Async<Result<>> note_message_failed(pg::Session& session, base::TenantId tenant, std::string id) {
  pg::Params params{tenant, id};
  return change(session, failed, std::move(params));
}

}  // namespace crm
