#include "crm/store/tenants.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{
    "insert_tenant",
    "insert into tenants (id, name, timezone, industry, status, max_concurrent_calls) values ($1, $2, $3, $4, $5, $6)"};
constexpr pg::Query all{"list_tenants",
                        "select id, name, timezone, industry, status, max_concurrent_calls from tenants order by id"};
constexpr pg::Query by_id{
    "find_tenant", "select id, name, timezone, industry, status, max_concurrent_calls from tenants where id = $1"};
constexpr pg::Query timezone_named{"is_timezone", "select 1 from pg_timezone_names where name = $1"};

Tenant to_tenant(pg::Row const& row) {
  return Tenant{.id = base::TenantId{row.text("id")},
                .name = row.text("name"),
                .timezone = row.text("timezone"),
                .industry = row.text_if_any("industry"),
                .active = row.text("status") == "active",
                .max_concurrent_calls = static_cast<int>(row.integer("max_concurrent_calls"))};
}

}  // namespace

Async<Result<>> insert_tenant(pg::Session& session, Tenant tenant) {
  pg::Params params{tenant.id,
                    tenant.name,
                    tenant.timezone,
                    tenant.industry,
                    tenant.active ? "active" : "suspended",
                    tenant.max_concurrent_calls};
  auto const rows = co_await session.run(insert, std::move(params));
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
  pg::Params params{id};
  auto const rows = co_await session.run(by_id, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Tenant> tenant;
  if (!rows->empty()) tenant = to_tenant((*rows)[0]);
  co_return tenant;
}

Async<Result<bool>> is_timezone(pg::Session& session, std::string name) {
  pg::Params params{name};
  auto const rows = co_await session.run(timezone_named, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return !rows->empty();
}

}  // namespace crm
