#include "crm/store/tool_calls.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_json.h"
#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr std::size_t longest_json = 64U * 1024U;

// All of them travel as one parameter; rows that have not changed are not written again.
constexpr pg::Query put{
    "put_tool_calls",
    "insert into tool_calls as old (tenant_id, call_id, ordinal, tool_call_id, name, parameters, result, is_error, "
    "started_ms, took_ms) select $1, $2, t.* from json_to_recordset($3::json) as t(ordinal int, tool_call_id text, "
    "name text, parameters jsonb, result jsonb, is_error boolean, started_ms bigint, took_ms bigint) "
    "on conflict (tenant_id, call_id, ordinal) do update set tool_call_id = excluded.tool_call_id, "
    "name = excluded.name, parameters = excluded.parameters, result = excluded.result, is_error = excluded.is_error, "
    "started_ms = excluded.started_ms, took_ms = excluded.took_ms where (old.*) is distinct from (excluded.*)"};
constexpr pg::Query of_call{"tool_calls_of_call",
                            "select * from tool_calls where tenant_id = $1 and call_id = $2 order by ordinal"};

nlohmann::json kept(std::string const& text) {
  if (text.size() > longest_json) return {{"too_long", text.size()}};
  return nlohmann::json::parse(pg::storable_json(text));
}

std::string encode(std::vector<CallToolCall> const& tool_calls) {
  auto list = nlohmann::json::array();
  for (auto const& call : tool_calls) {
    list.push_back({{"ordinal", list.size()},
                    {"tool_call_id", pg::storable_text(call.tool_call_id)},
                    {"name", pg::storable_text(call.name)},
                    {"parameters", kept(call.parameters_json)},
                    {"result", kept(call.result_json)},
                    {"is_error", call.is_error},
                    {"started_ms", call.started_ms},
                    {"took_ms", call.took_ms}});
  }
  return list.dump();
}

CallToolCall to_tool_call(pg::Row const& row) {
  return CallToolCall{.tool_call_id = row.text("tool_call_id"),
                      .name = row.text("name"),
                      .parameters_json = row.text("parameters"),
                      .result_json = row.text("result"),
                      .is_error = row.boolean("is_error"),
                      .started_ms = row.integer("started_ms"),
                      .took_ms = row.integer("took_ms")};
}

}  // namespace

Async<Result<>> put_tool_calls(pg::Session& session, base::TenantId tenant, base::CallId call,
                               std::vector<CallToolCall> tool_calls) {
  if (tool_calls.empty()) co_return Result<>{};
  pg::Params params{tenant, call, encode(tool_calls)};
  auto const rows = co_await session.run(put, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::vector<CallToolCall>>> tool_calls_of(pg::Session& session, base::TenantId tenant, base::CallId call) {
  pg::Params params{tenant, call};
  auto const rows = co_await session.run(of_call, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<CallToolCall> tool_calls;
  for (std::size_t i = 0; i < rows->size(); ++i) tool_calls.push_back(to_tool_call((*rows)[i]));
  co_return tool_calls;
}

}  // namespace crm
