#include "crm/store/backlog.h"

namespace crm {
namespace {

// Each of the three has an index of just these rows.
constexpr pg::Query count{"count_backlog",
                          "select (select count(*) from outbox where status in ('waiting', 'leased')) as waiting, "
                          "(select count(*) from outbox where status = 'parked') as parked, "
                          "(select count(*) from inbox where status = 'received') as received"};

}  // namespace

base::Async<base::Result<Backlog>> count_backlog(pg::Session& session) {
  auto const rows = co_await session.run(count, {});
  if (!rows) co_return std::unexpected{rows.error()};
  auto const row = (*rows)[0];
  co_return Backlog{row.integer("waiting"), row.integer("parked"), row.integer("received")};
}

}  // namespace crm
