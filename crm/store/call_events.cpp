#include "crm/store/call_events.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_json.h"
#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query put{
    "put_events",
    "insert into call_events as old (tenant_id, call_id, ordinal, at, kind, detail) "
    "select $1, $2, e.* from json_to_recordset($3::json) as e(ordinal int, at timestamptz, kind text, detail jsonb) "
    "on conflict (tenant_id, call_id, ordinal) do update set at = excluded.at, kind = excluded.kind, "
    "detail = excluded.detail where (old.*) is distinct from (excluded.*)"};
constexpr pg::Query of_call{
    "events_of_call",
    "select at, kind, detail from call_events where tenant_id = $1 and call_id = $2 order by ordinal"};

std::string encode(std::vector<CallEvent> const& events) {
  auto list = nlohmann::json::array();
  for (auto const& event : events) {
    list.push_back({{"ordinal", list.size()},
                    {"at", base::iso8601(event.at)},
                    {"kind", pg::storable_text(event.kind)},
                    {"detail", nlohmann::json::parse(pg::storable_json(event.detail_json))}});
  }
  return list.dump();
}

}  // namespace

Async<Result<>> put_events(pg::Session& session, base::TenantId tenant, base::CallId call,
                           std::vector<CallEvent> events) {
  if (events.empty()) co_return Result<>{};
  pg::Params params{tenant, call, encode(events)};
  auto const rows = co_await session.run(put, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<CallEvent>>> events_of(pg::Session& session, base::TenantId tenant, base::CallId call) {
  pg::Params params{tenant, call};
  auto const rows = co_await session.run(of_call, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<CallEvent> events;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    auto const row = (*rows)[i];
    events.push_back(CallEvent{row.time("at"), row.text("kind"), row.text("detail")});
  }
  co_return events;
}

}  // namespace crm
