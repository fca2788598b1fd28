#include "crm/store/calls.h"

#include <cassert>

#include "crm/pg/storable_text.h"
#include "crm/store/call_events.h"
#include "crm/store/call_turns.h"
#include "crm/store/tool_calls.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query upsert{
    "save_call",
    "insert into calls (tenant_id, id, agent_id, call_sid, account_sid, direction, from_number, to_number, status, "
    "node, "
    "node_epoch, started_at, answered_at, ended_at, duration_ms, ending, blame, conversation_id, recording_path, "
    "stream_count, resumed, version) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) "
    "on conflict (call_sid) do update set "
    "agent_id = excluded.agent_id, account_sid = excluded.account_sid, direction = excluded.direction, "
    "from_number = excluded.from_number, to_number = excluded.to_number, node = excluded.node, "
    "node_epoch = excluded.node_epoch, started_at = excluded.started_at, answered_at = excluded.answered_at, "
    "conversation_id = excluded.conversation_id, recording_path = excluded.recording_path, "
    "stream_count = excluded.stream_count, resumed = excluded.resumed, version = excluded.version, "
    "status = case when calls.status in ('ringing', 'in-progress') then excluded.status else calls.status end, "
    "ended_at = coalesce(calls.ended_at, excluded.ended_at), "
    "duration_ms = coalesce(calls.duration_ms, excluded.duration_ms), "
    "ending = coalesce(calls.ending, excluded.ending), blame = coalesce(calls.blame, excluded.blame) "
    "where calls.tenant_id = excluded.tenant_id and calls.version < excluded.version returning id"};
constexpr pg::Query by_id{"find_call", "select * from calls where id = $1"};
constexpr pg::Query by_sid{"find_call", "select * from calls where call_sid = $1"};
constexpr pg::Query newest{
    "list_calls",
    "select * from calls where ($1::text is null or tenant_id = $1) and ($2::timestamptz is null or started_at >= $2) "
    "and ($3::text is null or (started_at, id) < (select started_at, id from calls where id = $3 or call_sid = $3)) "
    "order by started_at desc, id desc limit $4"};
constexpr pg::Query open_of_others{"open_calls_of_other_epochs",
                                   "select * from calls where node = $1 and node_epoch <> $2 and status in ('ringing', "
                                   "'in-progress') order by started_at"};
constexpr pg::Query close{
    "close_call",
    "update calls set status = $2, ending = coalesce(ending, $3), blame = coalesce(blame, $4), "
    "ended_at = coalesce(ended_at, $5), duration_ms = coalesce(duration_ms, greatest(0, "
    "(extract(epoch from coalesce(ended_at, $5) - coalesce(answered_at, started_at)) * 1000)::bigint)) "
    "where call_sid = $1 and status in ('ringing', 'in-progress')"};

std::optional<std::string> storable(std::optional<std::string> const& text) {
  if (!text) return std::nullopt;
  return pg::storable_text(*text);
}

pg::Params params_of(CallRecord const& call) {
  std::optional<std::string_view> blame;
  if (call.blame) blame = to_string(*call.blame);
  return pg::Params{call.tenant,
                    call.id,
                    call.agent,
                    call.call_sid,
                    call.account_sid,
                    to_string(call.direction),
                    pg::storable_text(call.from),
                    pg::storable_text(call.to),
                    to_string(call.status),
                    call.node,
                    call.node_epoch,
                    call.started_at,
                    call.answered_at,
                    call.ended_at,
                    call.duration_ms,
                    storable(call.ending),
                    blame,
                    storable(call.conversation_id),
                    storable(call.recording_path),
                    call.stream_count,
                    call.resumed,
                    call.version};
}

CallRecord to_call(pg::Row const& row) {
  CallRecord call;
  call.id = base::CallId{row.text("id")};
  call.tenant = base::TenantId{row.text("tenant_id")};
  call.agent = base::AgentId{row.text("agent_id")};
  call.call_sid = base::CallSid{row.text("call_sid")};
  call.account_sid = base::AccountSid{row.text("account_sid")};
  call.direction = row.text("direction") == "outbound" ? CallDirection::outbound : CallDirection::inbound;
  call.from = row.text("from_number");
  call.to = row.text("to_number");
  call.status = call_status_from(row.text("status")).value_or(CallStatus::failed);
  call.node = row.text("node");
  call.node_epoch = row.integer("node_epoch");
  call.started_at = row.time("started_at");
  call.answered_at = row.time_if_any("answered_at");
  call.ended_at = row.time_if_any("ended_at");
  call.duration_ms = row.integer_if_any("duration_ms");
  call.ending = row.text_if_any("ending");
  if (auto const blame = row.text_if_any("blame")) call.blame = blame_from(*blame);
  call.conversation_id = row.text_if_any("conversation_id");
  call.recording_path = row.text_if_any("recording_path");
  call.stream_count = static_cast<int>(row.integer("stream_count"));
  call.resumed = static_cast<int>(row.integer("resumed"));
  call.version = row.integer("version");
  return call;
}

std::vector<CallRecord> to_calls(pg::Rows const& rows) {
  std::vector<CallRecord> calls;
  for (std::size_t i = 0; i < rows.size(); ++i) calls.push_back(to_call(rows[i]));
  return calls;
}

}  // namespace

Async<Result<bool>> save_call(pg::Session& session, CallRecord record) {
  auto const kept = co_await session.run(upsert, params_of(record));
  if (!kept) co_return std::unexpected{kept.error()};
  if (kept->empty()) co_return false;
  base::CallId const id{(*kept)[0].text("id")};
  auto const turns = co_await put_turns(session, record.tenant, id, std::move(record.turns));
  if (!turns) co_return std::unexpected{turns.error()};
  auto const events = co_await put_events(session, record.tenant, id, std::move(record.events));
  if (!events) co_return std::unexpected{events.error()};
  auto const tool_calls = co_await put_tool_calls(session, record.tenant, id, std::move(record.tool_calls));
  if (!tool_calls) co_return std::unexpected{tool_calls.error()};
  co_return true;
}

Async<Result<std::optional<CallRecord>>> find_call(pg::Session& session, std::string id_or_sid) {
  auto const& query = id_or_sid.starts_with("call_") ? by_id : by_sid;
  pg::Params params{id_or_sid};
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<CallRecord> call;
  if (rows->empty()) co_return call;
  call = to_call((*rows)[0]);
  auto turns = co_await turns_of(session, call->tenant, call->id);
  if (!turns) co_return std::unexpected{turns.error()};
  auto events = co_await events_of(session, call->tenant, call->id);
  if (!events) co_return std::unexpected{events.error()};
  auto tool_calls = co_await tool_calls_of(session, call->tenant, call->id);
  if (!tool_calls) co_return std::unexpected{tool_calls.error()};
  call->turns = std::move(*turns);
  call->events = std::move(*events);
  call->tool_calls = std::move(*tool_calls);
  co_return call;
}

Async<Result<std::vector<CallRecord>>> list_calls(pg::Session& session, CallFilter filter) {
  pg::Params params{filter.tenant, filter.since, filter.before, filter.limit};
  auto const rows = co_await session.run(newest, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return to_calls(*rows);
}

Async<Result<std::vector<CallRecord>>> open_calls_of_other_epochs(pg::Session& session, std::string node,
                                                                  std::int64_t epoch) {
  pg::Params params{node, epoch};
  auto const rows = co_await session.run(open_of_others, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return to_calls(*rows);
}

Async<Result<bool>> close_call(pg::Session& session, base::CallSid sid, CallStatus status, std::string ending,
                               Blame blame, Wall ended_at) {
  assert(is_terminal(status));
  pg::Params params{sid, to_string(status), ending, to_string(blame), ended_at};
  auto const rows = co_await session.run(close, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

}  // namespace crm
