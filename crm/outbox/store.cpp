#include "crm/outbox/store.h"

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr std::size_t longest_error = 500;
constexpr std::size_t longest_id = 200;

// What is due is asked again where the row is locked: another dispatcher may have taken it meanwhile.
constexpr pg::Query lease{
    "lease_outbox",
    // Tenants with something to tell, one index probe each.
    "with recursive busy as ("
    "(select tenant_id from outbox where status in ('waiting', 'leased') order by tenant_id limit 1) "
    "union all "
    "select (select o.tenant_id from outbox o where o.status in ('waiting', 'leased') and o.tenant_id > b.tenant_id "
    "order by o.tenant_id limit 1) from busy b where b.tenant_id is not null"
    "), held as ("
    "select tenant_id, coalesce(integration_id, 'sms') as target from outbox "
    "where status = 'leased' and lease_until > now()"
    "), targets as ("
    "select b.tenant_id, 'sms' as target, '' as provider from busy b where b.tenant_id is not null "
    "union all "
    "select i.tenant_id, i.id, i.provider from busy b join integrations i on i.tenant_id = b.tenant_id "
    "where i.status = 'active'"
    "), due as ("
    "select d.tenant_id, d.id, d.sequence, t.provider, "
    "row_number() over (partition by d.tenant_id order by d.sequence) as turn, "
    "(select count(*) from held h where h.tenant_id = d.tenant_id) as held "
    "from targets t cross join lateral ("
    "select o.tenant_id, o.id, o.sequence from outbox o "
    "where o.tenant_id = t.tenant_id and coalesce(o.integration_id, 'sms') = t.target "
    "and o.status in ('waiting', 'leased') "
    "and (o.status = 'waiting' and o.next_at <= now() or o.status = 'leased' and o.lease_until <= now()) "
    "and not exists (select 1 from outbox e where e.tenant_id = o.tenant_id and e.order_key = o.order_key "
    "and coalesce(e.integration_id, 'sms') = t.target and e.sequence < o.sequence "
    "and e.status in ('waiting', 'leased')) "
    "order by o.sequence limit greatest(0, $2::int - "
    "(select count(*) from held h where h.tenant_id = t.tenant_id and h.target = t.target))) d "
    "where not t.target = any($5::text[])"
    "), chosen as ("
    "select tenant_id, id, provider from due where turn + held <= $3::int order by turn, sequence limit $1::int"
    "), taken as ("
    "select o.tenant_id, o.id, o.status, o.attempts, o.lease_until, c.provider from outbox o "
    "join chosen c on c.tenant_id = o.tenant_id and c.id = o.id "
    "where o.status = 'waiting' and o.next_at <= now() or o.status = 'leased' and o.lease_until <= now() "
    "for update of o skip locked"
    "), lost as ("
    "insert into delivery_attempts (tenant_id, outbox_id, attempt, started_at, took_ms, fault, error) "
    "select tenant_id, id, attempts, lease_until - $4::bigint * interval '1 millisecond', $4::bigint, 'lost', "
    "'nobody heard how it ended' from taken where status = 'leased' on conflict do nothing"
    ") "
    "update outbox o set status = 'leased', attempts = o.attempts + 1, fence = o.fence + 1, "
    "lease_until = now() + $4::bigint * interval '1 millisecond' from taken t "
    "where o.tenant_id = t.tenant_id and o.id = t.id "
    "returning o.tenant_id, o.id, o.integration_id, t.provider, o.event, o.call_id, o.contact_id, o.payload, "
    "o.created_at, o.attempts, o.fence, t.status = 'leased' or exists (select 1 from delivery_attempts a "
    "where a.tenant_id = o.tenant_id and a.outbox_id = o.id and a.fault in ('ambiguous', 'lost')) as maybe_sent"};

constexpr pg::Query end_of_lease{
    "end_outbox_lease",
    "with moved as (update outbox set status = $12::text, lease_until = null, "
    "next_at = coalesce(now() + $13::bigint * interval '1 millisecond', next_at), parked_reason = $14, remote_id = "
    "$10, "
    "done_at = case when $12::text = 'done' then now() end "
    "where tenant_id = $1 and id = $2 and fence = $3 and status = 'leased' returning 1), "
    "noted as (insert into delivery_attempts (tenant_id, outbox_id, attempt, started_at, took_ms, request_id, "
    "http_status, fault, remote_id, error) values ($1, $2, $4, $5, $6, $7, $8, $9, $10, $11) "
    "on conflict (tenant_id, outbox_id, attempt) do update set started_at = excluded.started_at, "
    "took_ms = excluded.took_ms, request_id = excluded.request_id, http_status = excluded.http_status, "
    "fault = excluded.fault, remote_id = excluded.remote_id, error = excluded.error) "
    "select exists (select 1 from moved) as counted"};
constexpr pg::Query untaken{"outbox_give_back",
                            "update outbox set status = 'waiting', lease_until = null, attempts = attempts - 1 "
                            "where tenant_id = $1 and id = $2 and fence = $3 and status = 'leased'"};

constexpr pg::Query forget{"forget_told",
                           "delete from outbox where (tenant_id, id) in (select tenant_id, id from outbox "
                           "where status = 'done' and done_at < now() - make_interval(hours => $1) "
                           "order by done_at limit $2::int for update skip locked)"};

/// Cut between characters: storable_text() mends what the cut has split.
std::optional<std::string> limited(std::string_view text, std::size_t limit) {
  if (text.empty()) return std::nullopt;
  return pg::storable_text(text.substr(0, limit));
}

/// For an array parameter; ids of ours need no quoting.
std::string array_of(std::vector<std::string> const& ids) {
  std::string text = "{";
  for (auto const& id : ids) {
    if (text.size() > 1) text += ',';
    text += id;
  }
  return text + "}";
}

OutboxRow to_outbox_row(pg::Row const& row) {
  OutboxRow out;
  out.tenant = base::TenantId{row.text("tenant_id")};
  out.id = row.text("id");
  if (auto integration = row.text_if_any("integration_id")) out.integration = IntegrationId{*std::move(integration)};
  out.provider = row.text("provider");
  out.event = row.text("event");
  out.call = row.text_if_any("call_id");
  out.contact = row.text_if_any("contact_id");
  out.payload_json = row.text("payload");
  out.created_at = row.time("created_at");
  out.attempt = static_cast<int>(row.integer("attempts"));
  out.fence = row.integer("fence");
  out.maybe_sent = row.boolean("maybe_sent");
  return out;
}

/// What becomes of the row.
struct Ending {
  std::string_view status;
  std::optional<std::int64_t> delay_ms;
  std::optional<std::string> parked_reason;
};

Async<Result<bool>> end(pg::Session& session, OutboxRow row, AttemptTimes times,
                        std::expected<Receipt, DeliveryFault> outcome, Ending ending) {
  pg::Params params{row.tenant, row.id, row.fence, row.attempt, times.started_at, times.took.count()};
  auto const& request = outcome ? outcome->request_id : outcome.error().request_id;
  params.emplace_back(limited(request, longest_id));
  params.emplace_back(outcome ? outcome->http_status : outcome.error().http_status);
  params.emplace_back(outcome ? pg::Param{std::nullopt} : pg::Param{to_string(outcome.error().kind)});
  params.emplace_back(outcome ? limited(outcome->remote_id, longest_id) : std::nullopt);
  params.emplace_back(outcome ? std::nullopt : limited(outcome.error().detail, longest_error));
  params.emplace_back(ending.status);
  params.emplace_back(ending.delay_ms);
  params.emplace_back(ending.parked_reason);
  auto const rows = co_await session.run(end_of_lease, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return (*rows)[0].boolean("counted");
}

}  // namespace

std::string_view to_string(DeliveryFault::Kind kind) {
  switch (kind) {
    case DeliveryFault::Kind::not_sent:
      return "not_sent";
    case DeliveryFault::Kind::rate_limited:
      return "rate_limited";
    case DeliveryFault::Kind::unavailable:
      return "unavailable";
    case DeliveryFault::Kind::ambiguous:
      return "ambiguous";
    case DeliveryFault::Kind::needs_reauth:
      return "needs_reauth";
    case DeliveryFault::Kind::rejected:
      return "rejected";
  }
  return "unknown";
}

Async<Result<std::vector<OutboxRow>>> lease_due(pg::Session& session, LeaseTerms terms) {
  pg::Params params{terms.most, terms.per_target, terms.per_tenant, terms.span.count(), array_of(terms.resting)};
  auto const rows = co_await session.run(lease, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<OutboxRow> taken;
  for (std::size_t i = 0; i < rows->size(); ++i) taken.push_back(to_outbox_row((*rows)[i]));
  co_return taken;
}

Async<Result<bool>> note_done(pg::Session& session, OutboxRow row, Receipt receipt, AttemptTimes times) {
  return end(session, std::move(row), times, std::move(receipt), {"done", {}, {}});
}

Async<Result<bool>> note_later(pg::Session& session, OutboxRow row, DeliveryFault fault, AttemptTimes times,
                               std::chrono::milliseconds delay) {
  return end(session, std::move(row), times, std::unexpected{std::move(fault)}, {"waiting", delay.count(), {}});
}

Async<Result<bool>> note_parked(pg::Session& session, OutboxRow row, DeliveryFault fault, AttemptTimes times,
                                std::string_view reason) {
  return end(session, std::move(row), times, std::unexpected{std::move(fault)},
             {"parked", {}, limited(reason, longest_error)});
}

Async<Result<>> give_back(pg::Session& session, OutboxRow row) {
  pg::Params params{row.tenant, row.id, row.fence};
  auto const rows = co_await session.run(untaken, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::int64_t>> forget_told(pg::Session& session, std::chrono::hours age, int most) {
  pg::Params params{age.count(), most};
  auto const rows = co_await session.run(forget, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected();
}

}  // namespace crm
