#include "crm/outcome/unenriched.h"

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr std::size_t longest_reason = 300;

constexpr pg::Query lease{
    "lease_unenriched",
    "with due as (select o.tenant_id, o.call_id, c.conversation_id, c.ended_at from call_outcomes o "
    "join calls c on c.tenant_id = o.tenant_id and c.id = o.call_id "
    "where o.enriched_at is null and o.poll_ended is null "
    "and o.created_at > now() - $3::bigint * interval '1 millisecond' "
    "and (c.ending = 'node_lost' or o.created_at <= now() - $2::bigint * interval '1 millisecond') "
    "and (o.next_poll_at is null or o.next_poll_at <= now()) and c.conversation_id <> '' "
    "order by coalesce(o.next_poll_at, o.created_at) limit $1::int for update of o skip locked) "
    "update call_outcomes o set polls = o.polls + 1, next_poll_at = now() + $4::bigint * interval '1 millisecond' "
    "from due d where o.tenant_id = d.tenant_id and o.call_id = d.call_id "
    "returning o.tenant_id, o.call_id, d.conversation_id, d.ended_at, o.polls, (extract(epoch from o.created_at - "
    "now()) * 1000)::bigint + $3::bigint as left_ms"};
constexpr pg::Query later_query{"poll_later",
                                "update call_outcomes set next_poll_at = now() + $3::bigint * interval '1 millisecond' "
                                "where tenant_id = $1 and call_id = $2 and enriched_at is null"};
constexpr pg::Query end{"end_polling",
                        "update call_outcomes set poll_ended = $3 "
                        "where tenant_id = $1 and call_id = $2 and enriched_at is null"};

UnenrichedCall to_call(pg::Row const& row) {
  return UnenrichedCall{.tenant = base::TenantId{row.text("tenant_id")},
                        .call = base::CallId{row.text("call_id")},
                        .conversation_id = row.text("conversation_id"),
                        .ended_at = row.time_if_any("ended_at"),
                        .polls = static_cast<int>(row.integer("polls")),
                        .left = std::chrono::milliseconds{row.integer("left_ms")}};
}

Async<Result<>> run_plainly(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace

Async<Result<std::vector<UnenrichedCall>>> lease_unenriched(pg::Session& session, UnenrichedTerms terms) {
  pg::Params params{terms.most, terms.after.count(), terms.oldest.count(), terms.lease.count()};
  auto const rows = co_await session.run(lease, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<UnenrichedCall> calls;
  for (std::size_t i = 0; i < rows->size(); ++i) calls.push_back(to_call((*rows)[i]));
  co_return calls;
}

Async<Result<>> poll_later(pg::Session& session, UnenrichedCall const& call, std::chrono::milliseconds later) {
  pg::Params params{call.tenant, call.call, later.count()};
  return run_plainly(session, later_query, std::move(params));
}

Async<Result<>> end_polling(pg::Session& session, UnenrichedCall const& call, std::string why) {
  if (why.size() > longest_reason) why.resize(longest_reason);
  pg::Params params{call.tenant, call.call, pg::storable_text(why)};
  return run_plainly(session, end, std::move(params));
}

}  // namespace crm
