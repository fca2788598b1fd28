#include "crm/outcome/settle_store.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

// The lock keeps an enrichment from finding no outcome while the outcome finds no enrichment.
constexpr pg::Query look_up{
    "look_up_call",
    "select c.id, c.contact_id, c.contact_match, o.category, (o.confidence * 1000)::int as confidence_mille, made.id "
    "as booked, "
    "made.status = 'confirmed' as booking_was_heard, coalesce(made.contact_id, own.id) as by_call, p.id as by_phone, "
    "(select string_agg(f.contact_id, ' ' order by f.contact_id) from contact_phones f "
    "where f.tenant_id = c.tenant_id and f.e164 = $3) as by_further_phone, "
    "(select string_agg(f.contact_id, ' ') from contact_phones f join contacts n on n.tenant_id = f.tenant_id "
    "and n.id = f.contact_id where f.tenant_id = c.tenant_id and f.e164 = $3 and lower(n.full_name) = lower($7::text)) "
    "as by_further_phone_and_name, "
    "(select string_agg(e.id, ' ' order by e.id) from contacts e where e.tenant_id = c.tenant_id and e.email = $4) "
    "as by_email, "
    "coalesce((select n.source = 'call' and n.created_at >= c.started_at from contacts n "
    "where n.tenant_id = c.tenant_id and n.id = coalesce(p.id, made.contact_id, own.id)), false) as is_new, "
    "exists (select from integrations i where i.tenant_id = c.tenant_id and i.status = 'active') as is_to_be_told, "
    "pg_advisory_xact_lock(hashtextextended($6, 0)) "
    "from calls c left join call_outcomes o on o.tenant_id = c.tenant_id and o.call_id = c.id "
    "left join contacts p on p.tenant_id = c.tenant_id and p.phone_e164 = $3 "
    // The contact that the desk makes for a call whose number is withheld.
    "left join contacts own on own.tenant_id = c.tenant_id and own.id = 'con_' || substr($5::text, 6) "
    "left join lateral (select a.id, a.contact_id, a.status from appointments a where a.tenant_id = c.tenant_id "
    "and a.call_id in (c.id, $5) and a.status in ('unconfirmed', 'confirmed') order by a.created_at desc, a.id limit "
    "1) "
    "made on true where c.tenant_id = $1 and c.call_sid = $2"};
constexpr pg::Query create{
    "create_contact",
    "insert into contacts (tenant_id, id, full_name, phone_e164, email, source) values ($1, $2, $3, $4, $5, 'call') "
    "on conflict (tenant_id, phone_e164) do update set updated_at = contacts.updated_at "
    "returning id, (xmax = 0) as created"};
constexpr pg::Query merge{
    "merge_contact",
    "update contacts set full_name = better.full_name, email = better.email, updated_at = now() from ("
    "select case when $3 <> '' and not 'full_name' = any(typed_fields) and (full_name = '' or loose) then $3 "
    "else full_name end as full_name, "
    "case when $4::text is not null and not 'email' = any(typed_fields) and (email is null or loose) then $4 "
    "else email end as email "
    "from (select *, source = 'call' and updated_at <= $5::timestamptz as loose from contacts "
    "where tenant_id = $1 and id = $2 for update) known) better "
    "where tenant_id = $1 and id = $2 "
    "and (contacts.full_name, contacts.email) is distinct from (better.full_name, better.email)"};
constexpr pg::Query review{"ask_for_review",
                           "insert into contact_reviews (tenant_id, id, call_id, candidates) "
                           "values ($1, $2, $3, string_to_array($4, ' ')) on conflict (tenant_id, call_id) do nothing"};
constexpr pg::Query missed_request{"put_missed_request",
                                   "insert into notes (tenant_id, id, contact_id, call_id, kind, author, body) "
                                   "select $1, $2, $3, $4, 'message', $5, $6 where not exists (select from inbox "
                                   "where source = 'desk' and key = $1::text || ':' || $7::text || ':' || $8::text) "
                                   "on conflict (tenant_id, id) do nothing"};
constexpr pg::Query settle{
    "settle_call",
    "with linked as (update calls set contact_id = coalesce(contact_id, $4), "
    "contact_match = case when contact_id is null and ($4::text is not null or contact_match is null) then $5 "
    "else contact_match end where tenant_id = $1 and id = $2), "
    "freed as (delete from appointments where tenant_id = $1 and call_id in ($2, $3) and status = 'held'), "
    "waiting as (update inbox set status = 'applied', applied_at = now(), tenant_id = $1 "
    "where source = 'enrichment' and key = $15 and status = 'received' "
    "returning convert_from(body, 'UTF8')::jsonb as said) "
    "insert into call_outcomes as old (tenant_id, call_id, category, confidence, reason, follow_up, follow_up_reason, "
    "contact_id, appointment_id, confirmation_number, summary, evaluation, collected, quarantine, enriched_from, "
    "enriched_at) "
    "select $1, $2, $6, $7::real, $8, $9::boolean, $10, $4, (select a.id from appointments a where a.tenant_id = $1 "
    "and a.id = $11 and a.status <> 'held'), coalesce($13, $14), w.said->>'summary', w.said->'evaluation', "
    "w.said->'collected', w.said->'quarantine', w.said->>'from', (w.said->>'at')::timestamptz "
    "from (values (1)) one left join waiting w on true "
    "on conflict (tenant_id, call_id) do update set "
    "category = case when $12::boolean then excluded.category else old.category end, "
    "confidence = case when $12 then excluded.confidence else old.confidence end, "
    "reason = case when $12 then excluded.reason else old.reason end, "
    "follow_up = case when $12 then excluded.follow_up else old.follow_up end, "
    "follow_up_reason = case when $12 then excluded.follow_up_reason else old.follow_up_reason end, "
    "contact_id = coalesce(old.contact_id, excluded.contact_id), "
    "appointment_id = coalesce(old.appointment_id, excluded.appointment_id), "
    "confirmation_number = coalesce($13, old.confirmation_number, $14), "
    "summary = coalesce(old.summary, excluded.summary), evaluation = coalesce(old.evaluation, excluded.evaluation), "
    "collected = coalesce(old.collected, excluded.collected), "
    "quarantine = coalesce(old.quarantine, excluded.quarantine), "
    "enriched_from = coalesce(old.enriched_from, excluded.enriched_from), "
    "enriched_at = coalesce(old.enriched_at, excluded.enriched_at)"};
constexpr pg::Query correct{"correct_event",
                            "update outbox set payload = jsonb_set(payload, '{data}', $3::jsonb) where tenant_id = $1 "
                            "and call_id = $2 and event = 'call.ended' and status = 'waiting' and attempts = 0"};

std::optional<std::string> if_any(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::vector<ContactId> contacts_in(std::optional<std::string> const& list) {
  std::vector<ContactId> contacts;
  if (!list) return contacts;
  for (std::size_t begin = 0; begin <= list->size();) {
    auto const end = std::min(list->find(' ', begin), list->size());
    contacts.emplace_back(list->substr(begin, end - begin));
    begin = end + 1;
  }
  return contacts;
}

KnownCall to_known(pg::Row const& row) {
  KnownCall known;
  known.id = base::CallId{row.text("id")};
  if (auto contact = row.text_if_any("contact_id")) known.contact = ContactId{*contact};
  if (auto const match = row.text_if_any("contact_match")) known.match = contact_match_from(*match);
  if (auto const category = row.text_if_any("category")) known.category = outcome_category_from(*category);
  known.confidence = static_cast<double>(row.integer_if_any("confidence_mille").value_or(0)) / 1000;
  known.booked = row.text_if_any("booked");
  known.candidates.by_call = contacts_in(row.text_if_any("by_call"));
  known.candidates.by_phone = contacts_in(row.text_if_any("by_phone"));
  known.candidates.by_further_phone = contacts_in(row.text_if_any("by_further_phone"));
  known.candidates.by_further_phone_and_name = contacts_in(row.text_if_any("by_further_phone_and_name"));
  known.candidates.by_email = contacts_in(row.text_if_any("by_email"));
  known.booking_was_heard = known.booked && row.boolean("booking_was_heard");
  known.is_to_be_told = row.boolean("is_to_be_told");
  known.candidates.is_new = row.boolean("is_new");
  return known;
}

Async<Result<>> done(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace

Async<Result<std::optional<KnownCall>>> look_up_call(pg::Session& session, CallRecord const& call,
                                                     LearnedContact learned) {
  pg::Params params{call.tenant, call.call_sid,        if_any(learned.phone), if_any(learned.email),
                    call.id,     call.conversation_id, if_any(learned.name)};
  auto const rows = co_await session.run(look_up, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<KnownCall> known;
  if (!rows->empty()) known = to_known((*rows)[0]);
  co_return known;
}

Async<Result<CreatedContact>> create_contact(pg::Session& session, base::TenantId tenant, LearnedContact learned) {
  pg::Params params{tenant, base::new_id("con"), learned.name, learned.phone, if_any(learned.email)};
  auto const rows = co_await session.run(create, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return CreatedContact{ContactId{(*rows)[0].text("id")}, (*rows)[0].boolean("created")};
}

Async<Result<>> merge_contact(pg::Session& session, base::TenantId tenant, ContactId contact, LearnedContact learned,
                              Wall call_ended) {
  if (learned.name.empty() && learned.email.empty()) co_return Result<>{};
  pg::Params params{tenant, contact, learned.name, if_any(learned.email), call_ended};
  auto const merged = co_await done(session, merge, std::move(params));
  co_return merged;
}

Async<Result<>> ask_for_review(pg::Session& session, base::TenantId tenant, base::CallId call,
                               std::vector<ContactId> candidates) {
  std::string list;
  for (auto const& each : candidates) list += (list.empty() ? "" : " ") + each.text();
  pg::Params params{tenant, base::new_id("rev"), call, list};
  auto const asked = co_await done(session, review, std::move(params));
  co_return asked;
}

Async<Result<bool>> put_missed(pg::Session& session, Settlement const& settlement, MissedRequest missed,
                               std::string note) {
  pg::Params params{settlement.tenant, note,        settlement.contact,    settlement.call,
                    missed.name,       missed.body, settlement.also_known, missed.tool_call_id};
  auto const rows = co_await session.run(missed_request, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

Async<Result<>> put_settlement(pg::Session& session, Settlement settlement) {
  auto const& outcome = settlement.outcome;
  pg::Params params{settlement.tenant,
                    settlement.call,
                    settlement.also_known,
                    settlement.contact,
                    to_string(settlement.match),
                    to_string(outcome.category),
                    std::to_string(outcome.confidence),
                    outcome.reason,
                    outcome.follow_up,
                    outcome.follow_up_reason,
                    outcome.appointment_id,
                    settlement.replaces,
                    settlement.dictated_number,
                    settlement.caller_number,
                    settlement.conversation};
  auto const settled = co_await done(session, settle, std::move(params));
  co_return settled;
}

Async<Result<>> correct_event(pg::Session& session, base::TenantId tenant, base::CallId call, std::string data_json) {
  pg::Params params{tenant, call, data_json};
  auto const corrected = co_await done(session, correct, std::move(params));
  co_return corrected;
}

}  // namespace crm
