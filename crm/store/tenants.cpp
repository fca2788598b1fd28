#include "crm/store/tenants.h"

#include "crm/store/business_hours_json.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{
    "insert_tenant",
    "insert into tenants (id, name, timezone, industry, status, max_concurrent_calls, opening_hours, slot_minutes, "
    "lead_minutes, booking_days, calling_hours, confirm_by_sms) "
    "values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11::jsonb, $12)"};
constexpr pg::Query update{
    "update_tenant",
    "update tenants set name = $2, timezone = $3, industry = $4, status = $5, max_concurrent_calls = $6, "
    "opening_hours = $7::jsonb, slot_minutes = $8, lead_minutes = $9, booking_days = $10, calling_hours = $11::jsonb, "
    "confirm_by_sms = $12 where id = $1"};
constexpr pg::Query all{
    "list_tenants",
    "select id, name, timezone, industry, status, max_concurrent_calls, opening_hours, slot_minutes, lead_minutes, "
    "booking_days, calling_hours, confirm_by_sms from tenants order by id"};
constexpr pg::Query by_id{
    "find_tenant",
    "select id, name, timezone, industry, status, max_concurrent_calls, opening_hours, slot_minutes, lead_minutes, "
    "booking_days, calling_hours, confirm_by_sms from tenants where id = $1"};
// As lock_bookings(): new calls for the tenant need not wait.
constexpr pg::Query lock_by_id{
    "lock_tenant",
    "select id, name, timezone, industry, status, max_concurrent_calls, opening_hours, slot_minutes, lead_minutes, "
    "booking_days, calling_hours, confirm_by_sms from tenants where id = $1 for no key update"};
constexpr pg::Query timezone_named{"is_timezone", "select 1 from pg_timezone_names where name = $1"};

pg::Params params_of(Tenant const& tenant) {
  return {tenant.id,
          tenant.name,
          tenant.timezone,
          tenant.industry,
          tenant.active ? "active" : "suspended",
          tenant.max_concurrent_calls,
          opening_hours_json(tenant.opening),
          tenant.slot_minutes,
          tenant.lead_minutes,
          tenant.booking_days,
          calling_hours_json(tenant.calling_hours),
          tenant.confirm_by_sms};
}

Tenant to_tenant(pg::Row const& row) {
  return Tenant{.id = base::TenantId{row.text("id")},
                .name = row.text("name"),
                .timezone = row.text("timezone"),
                .industry = row.text_if_any("industry"),
                .active = row.text("status") == "active",
                .max_concurrent_calls = static_cast<int>(row.integer("max_concurrent_calls")),
                .opening = read_opening_hours(row.text("opening_hours")),
                .slot_minutes = static_cast<int>(row.integer("slot_minutes")),
                .lead_minutes = static_cast<int>(row.integer("lead_minutes")),
                .booking_days = static_cast<int>(row.integer("booking_days")),
                .calling_hours = read_calling_hours(row.text("calling_hours")),
                .confirm_by_sms = row.boolean("confirm_by_sms")};
}

Async<Result<std::optional<Tenant>>> one_by(pg::Session& session, pg::Query query, base::TenantId id) {
  pg::Params params{id};
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Tenant> tenant;
  if (!rows->empty()) tenant = to_tenant((*rows)[0]);
  co_return tenant;
}

}  // namespace

Async<Result<>> insert_tenant(pg::Session& session, Tenant tenant) {
  auto const rows = co_await session.run(insert, params_of(tenant));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<Tenant>>> list_tenants(pg::Session& session) {
  auto const rows = co_await session.run(all, {});
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Tenant> tenants;
  for (std::size_t i = 0; i < rows->size(); ++i) tenants.push_back(to_tenant((*rows)[i]));
  co_return tenants;
}

Async<Result<std::optional<Tenant>>> find_tenant(pg::Session& session, base::TenantId id) {
  return one_by(session, by_id, std::move(id));
}

Async<Result<std::optional<Tenant>>> lock_tenant(pg::Session& session, base::TenantId id) {
  return one_by(session, lock_by_id, std::move(id));
}

Async<Result<>> update_tenant(pg::Session& session, Tenant tenant) {
  auto const rows = co_await session.run(update, params_of(tenant));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->affected() == 0) co_return base::fail(base::Fault::not_found, "no such tenant");
  co_return Result<>{};
}

Async<Result<bool>> is_timezone(pg::Session& session, std::string name) {
  pg::Params params{name};
  auto const rows = co_await session.run(timezone_named, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return !rows->empty();
}

}  // namespace crm
