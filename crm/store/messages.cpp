#include "crm/store/messages.h"

namespace crm {
namespace {

constexpr pg::Query count{"count_messages_of_call",
                          "select count(*) as count from messages where tenant_id = $1 and call_id = $2"};

}  // namespace

base::Async<base::Result<std::int64_t>> count_messages_of_call(pg::Session& session, base::TenantId tenant,
                                                               base::CallId call) {
  pg::Params params{tenant, call};
  auto const rows = co_await session.run(count, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return (*rows)[0].integer("count");
}

}  // namespace crm
