#include "crm/store/call_turns.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

// All turns travel as one parameter; rows that have not changed are not written again.
constexpr pg::Query put{
    "put_turns",
    "with given as (select * from json_to_recordset($3::json) as t(ordinal int, role text, event_id bigint, said text, "
    "heard text, interrupted boolean, started_ms bigint, generated_ms bigint, sent_ms bigint, heard_ms bigint, "
    "from_provider boolean)), "
    "gone as (delete from call_turns where tenant_id = $1 and call_id = $2 "
    "and ordinal not in (select ordinal from given)) "
    "insert into call_turns as old (tenant_id, call_id, ordinal, role, event_id, said, heard, interrupted, started_ms, "
    "generated_ms, sent_ms, heard_ms, from_provider) select $1, $2, g.* from given g "
    "on conflict (tenant_id, call_id, ordinal) do update set role = excluded.role, event_id = excluded.event_id, "
    "said = excluded.said, heard = excluded.heard, interrupted = excluded.interrupted, started_ms = "
    "excluded.started_ms, "
    "generated_ms = excluded.generated_ms, sent_ms = excluded.sent_ms, heard_ms = excluded.heard_ms, "
    "from_provider = excluded.from_provider "
    "where (old.*) is distinct from (excluded.*)"};
constexpr pg::Query of_call{"turns_of_call",
                            "select * from call_turns where tenant_id = $1 and call_id = $2 order by ordinal"};

nlohmann::json optional(std::optional<std::int64_t> const& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::string encode(std::vector<CallTurn> const& turns) {
  auto list = nlohmann::json::array();
  for (auto const& turn : turns) {
    list.push_back({{"ordinal", list.size()},
                    {"role", to_string(turn.role)},
                    {"event_id", optional(turn.event_id)},
                    {"said", pg::storable_text(turn.said)},
                    {"heard", pg::storable_text(turn.heard)},
                    {"interrupted", turn.interrupted},
                    {"started_ms", turn.started_ms},
                    {"generated_ms", optional(turn.generated_ms)},
                    {"sent_ms", optional(turn.sent_ms)},
                    {"heard_ms", optional(turn.heard_ms)},
                    {"from_provider", turn.from_provider}});
  }
  return list.dump();
}

CallTurn to_turn(pg::Row const& row) {
  return CallTurn{.role = row.text("role") == "caller" ? Speaker::caller : Speaker::agent,
                  .event_id = row.integer_if_any("event_id"),
                  .said = row.text("said"),
                  .heard = row.text("heard"),
                  .interrupted = row.boolean("interrupted"),
                  .started_ms = row.integer("started_ms"),
                  .generated_ms = row.integer_if_any("generated_ms"),
                  .sent_ms = row.integer_if_any("sent_ms"),
                  .heard_ms = row.integer_if_any("heard_ms"),
                  .from_provider = row.boolean("from_provider")};
}

}  // namespace

Async<Result<>> put_turns(pg::Session& session, base::TenantId tenant, base::CallId call, std::vector<CallTurn> turns) {
  pg::Params params{tenant, call, encode(turns)};
  auto const rows = co_await session.run(put, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<CallTurn>>> turns_of(pg::Session& session, base::TenantId tenant, base::CallId call) {
  pg::Params params{tenant, call};
  auto const rows = co_await session.run(of_call, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<CallTurn> turns;
  for (std::size_t i = 0; i < rows->size(); ++i) turns.push_back(to_turn((*rows)[i]));
  co_return turns;
}

}  // namespace crm
