#include "crm/store/phone_numbers.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_number",
                           "insert into phone_numbers (id, tenant_id, e164, agent_id) values ($1, $2, $3, $4)"};
constexpr pg::Query all{
    "list_numbers",
    "select id, tenant_id, e164, agent_id from phone_numbers where $1::text is null or tenant_id = $1 order by e164"};

PhoneNumber to_number(pg::Row const& row) {
  return PhoneNumber{NumberId{row.text("id")}, base::TenantId{row.text("tenant_id")}, row.text("e164"),
                     base::AgentId{row.text("agent_id")}};
}

}  // namespace

Async<Result<>> insert_number(pg::Session& session, PhoneNumber number) {
  pg::Params params{number.id, number.tenant, number.e164, number.agent};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<PhoneNumber>>> list_numbers(pg::Session& session, std::optional<base::TenantId> tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(all, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<PhoneNumber> numbers;
  for (std::size_t i = 0; i < rows->size(); ++i) numbers.push_back(to_number((*rows)[i]));
  co_return numbers;
}

}  // namespace crm
