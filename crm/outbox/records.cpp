#include "crm/outbox/records.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query newest{"list_outbox",
                           "select o.*, coalesce(i.name, 'sms') as integration_name from outbox o "
                           "left join integrations i on i.tenant_id = o.tenant_id and i.id = o.integration_id "
                           "where ($1::text is null or o.tenant_id = $1) and ($2::text is null or o.status = $2) "
                           "and ($3::text is null or o.call_id = $3) order by o.sequence desc limit $4"};
constexpr pg::Query one{"find_outbox",
                        "select o.*, coalesce(i.name, 'sms') as integration_name from outbox o "
                        "left join integrations i on i.tenant_id = o.tenant_id and i.id = o.integration_id "
                        "where o.id = $1"};
constexpr pg::Query attempts{
    "attempts_of_outbox",
    "select attempt, started_at, took_ms, request_id, http_status, fault, remote_id, error from delivery_attempts "
    "where tenant_id = $1 and outbox_id = $2 order by attempt"};
constexpr pg::Query retry{
    "retry_outbox",
    "with retried as ("
    "update outbox set status = 'waiting', parked_reason = null, next_at = now() where status = 'parked' "
    "and ($1::text is null or id = $1) and ($2::text is null or integration_id = $2) "
    "and ($3::text is null or tenant_id = $3) and coalesce($1, $2, $3) is not null returning tenant_id) "
    "select tenant_id, count(*) as count from retried group by tenant_id order by tenant_id"};

OutboxRecord to_record(pg::Row const& row) {
  OutboxRecord record;
  record.tenant = base::TenantId{row.text("tenant_id")};
  record.id = row.text("id");
  if (auto integration = row.text_if_any("integration_id")) record.integration = IntegrationId{*std::move(integration)};
  record.integration_name = row.text("integration_name");
  record.event = row.text("event");
  record.call = row.text_if_any("call_id");
  record.contact = row.text_if_any("contact_id");
  record.status = row.text("status");
  record.attempts = static_cast<int>(row.integer("attempts"));
  record.created_at = row.time("created_at");
  record.next_at = row.time("next_at");
  record.done_at = row.time_if_any("done_at");
  record.parked_reason = row.text_if_any("parked_reason");
  record.remote_id = row.text_if_any("remote_id");
  return record;
}

AttemptRecord to_attempt(pg::Row const& row) {
  return {static_cast<int>(row.integer("attempt")),
          row.time("started_at"),
          row.integer("took_ms"),
          row.text_if_any("request_id"),
          row.integer_if_any("http_status"),
          row.text_if_any("fault"),
          row.text_if_any("remote_id"),
          row.text_if_any("error")};
}

}  // namespace

Async<Result<std::vector<OutboxRecord>>> list_outbox(pg::Session& session, OutboxFilter filter) {
  pg::Params params{filter.tenant, filter.status, filter.call, filter.limit};
  auto const rows = co_await session.run(newest, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<OutboxRecord> records;
  for (std::size_t i = 0; i < rows->size(); ++i) records.push_back(to_record((*rows)[i]));
  co_return records;
}

Async<Result<std::optional<OutboxRecord>>> find_outbox(pg::Session& session, std::string id) {
  pg::Params params{id};
  auto const rows = co_await session.run(one, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<OutboxRecord> record;
  if (!rows->empty()) record = to_record((*rows)[0]);
  co_return record;
}

Async<Result<std::vector<AttemptRecord>>> attempts_of(pg::Session& session, base::TenantId tenant, std::string id) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(attempts, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<AttemptRecord> records;
  for (std::size_t i = 0; i < rows->size(); ++i) records.push_back(to_attempt((*rows)[i]));
  co_return records;
}

Async<Result<std::vector<Retried>>> retry_parked(pg::Session& session, RetryFilter filter) {
  pg::Params params{filter.id, filter.integration, filter.tenant};
  auto const rows = co_await session.run(retry, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Retried> retried;
  for (std::size_t i = 0; i < rows->size(); ++i)
    retried.push_back({base::TenantId{(*rows)[i].text("tenant_id")}, (*rows)[i].integer("count")});
  co_return retried;
}

}  // namespace crm
