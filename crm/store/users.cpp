#include "crm/store/users.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_user",
                           "insert into users (id, tenant_id, email, role) values ($1, $2, lower($3), $4)"};
constexpr pg::Query all{
    "list_users", "select id, tenant_id, email, role from users where $1::text is null or tenant_id = $1 order by id"};

User to_user(pg::Row const& row) {
  return User{UserId{row.text("id")}, base::TenantId{row.text("tenant_id")}, row.text("email"), row.text("role")};
}

}  // namespace

Async<Result<>> insert_user(pg::Session& session, User user) {
  pg::Params params{user.id, user.tenant, user.email, user.role};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<User>>> list_users(pg::Session& session, std::optional<base::TenantId> tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(all, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<User> users;
  for (std::size_t i = 0; i < rows->size(); ++i) users.push_back(to_user((*rows)[i]));
  co_return users;
}

}  // namespace crm
