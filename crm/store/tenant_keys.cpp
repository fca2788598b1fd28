#include "crm/store/tenant_keys.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_tenant_key",
                           "insert into tenant_keys (tenant_id, id, master_id, wrapped) values ($1, $2, $3, $4)"};
constexpr pg::Query newest{"newest_tenant_key",
                           "select tenant_id, id, master_id, wrapped from tenant_keys where tenant_id = $1 "
                           "order by created_at desc, id desc limit 1"};
constexpr pg::Query by_id{"find_tenant_key",
                          "select tenant_id, id, master_id, wrapped from tenant_keys where tenant_id = $1 and id = $2"};
constexpr pg::Query not_under{"tenant_keys_not_under",
                              "select tenant_id, id, master_id, wrapped from tenant_keys where master_id <> $1 "
                              "order by tenant_id, id"};
constexpr pg::Query rewrap{"rewrap_tenant_key",
                           "update tenant_keys set master_id = $3, wrapped = $4 "
                           "where tenant_id = $1 and id = $2 and wrapped = $5"};

TenantKeyRow to_key(pg::Row const& row) {
  return {base::TenantId{row.text("tenant_id")}, row.text("id"), row.text("master_id"), row.text("wrapped")};
}

Async<Result<std::optional<TenantKeyRow>>> first_of(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<TenantKeyRow> key;
  if (!rows->empty()) key = to_key((*rows)[0]);
  co_return key;
}

}  // namespace

Async<Result<>> insert_tenant_key(pg::Session& session, TenantKeyRow row) {
  pg::Params params{row.tenant, row.id, row.master_id, row.wrapped};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::optional<TenantKeyRow>>> newest_tenant_key(pg::Session& session, base::TenantId tenant) {
  return first_of(session, newest, pg::Params{tenant});
}

Async<Result<std::optional<TenantKeyRow>>> find_tenant_key(pg::Session& session, base::TenantId tenant,
                                                           std::string id) {
  return first_of(session, by_id, pg::Params{tenant, id});
}

Async<Result<std::vector<TenantKeyRow>>> tenant_keys_not_under(pg::Session& session, std::string master_id) {
  pg::Params params{master_id};
  auto const rows = co_await session.run(not_under, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<TenantKeyRow> keys;
  for (std::size_t i = 0; i < rows->size(); ++i) keys.push_back(to_key((*rows)[i]));
  co_return keys;
}

Async<Result<bool>> rewrap_tenant_key(pg::Session& session, TenantKeyRow row, std::string old_wrapped) {
  pg::Params params{row.tenant, row.id, row.master_id, row.wrapped, old_wrapped};
  auto const rows = co_await session.run(rewrap, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

}  // namespace crm
