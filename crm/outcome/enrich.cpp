#include "crm/outcome/enrich.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_json.h"
#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;
using nlohmann::json;

constexpr std::size_t longest_summary = 16U * 1024U;
constexpr std::size_t most_quarantined = 100;
constexpr std::size_t longest_reason = 300;
constexpr std::size_t longest_json = 256U * 1024U;

// A statement of its own: the next one sees what whoever held the lock has written.
constexpr pg::Query lock{"lock_conversation", "select pg_advisory_xact_lock(hashtextextended($1, 0))"};
constexpr pg::Query enrich{
    "enrich_call",
    "with found as (select o.tenant_id, o.call_id, o.enriched_at is null or o.enriched_at < $3::timestamptz or "
    // Said in the same second: the webhook's word stands, whichever comes first.
    "(o.enriched_at = $3::timestamptz and ($2::jsonb->>'from' = 'webhook' or o.enriched_from = 'poll')) as newer "
    "from calls c join call_outcomes o on o.tenant_id = c.tenant_id and o.call_id = c.id "
    "where c.conversation_id = $1), "
    "given as (select $2::jsonb as said), "
    "written as (update call_outcomes o set "
    "summary = case when f.newer then coalesce(g.said->>'summary', o.summary) "
    "else coalesce(o.summary, g.said->>'summary') end, "
    "evaluation = case when f.newer then coalesce(g.said->'evaluation', o.evaluation) "
    "else coalesce(o.evaluation, g.said->'evaluation') end, "
    "collected = case when f.newer then coalesce(g.said->'collected', o.collected) "
    "else coalesce(o.collected, g.said->'collected') end, "
    "quarantine = case when f.newer then coalesce(g.said->'quarantine', o.quarantine) "
    "else coalesce(o.quarantine, g.said->'quarantine') end, "
    "enriched_from = case when f.newer then g.said->>'from' else o.enriched_from end, "
    "enriched_at = greatest(o.enriched_at, $3::timestamptz) "
    "from found f, given g where o.tenant_id = f.tenant_id and o.call_id = f.call_id) "
    "select count(*) as calls from found"};
constexpr pg::Query wait_for_call{
    "enrichment_waits",
    "insert into inbox as old (source, key, body) values ('enrichment', $1, convert_to($2, 'UTF8')) "
    "on conflict (source, key) do update set status = 'received', applied_at = null, body = convert_to((case "
    "when ((convert_from(old.body, 'UTF8')::jsonb->>'at')::timestamptz, convert_from(old.body, 'UTF8')::jsonb->>'from' "
    "= "
    "'webhook') <= ($3::timestamptz, $2::jsonb->>'from' = 'webhook') "
    "then convert_from(old.body, 'UTF8')::jsonb || $2::jsonb else $2::jsonb || convert_from(old.body, 'UTF8')::jsonb "
    "end)::text, 'UTF8')"};

/// Only what is given: the merging in SQL knows nothing of nulls.
std::string body_of(Enrichment const& enrichment) {
  json body{{"at", base::iso8601(enrichment.at)},
            {"from", enrichment.from == Enrichment::From::webhook ? "webhook" : "poll"}};
  if (enrichment.summary && enrichment.summary->size() <= longest_summary)
    body["summary"] = pg::storable_text(*enrichment.summary);
  auto const add = [&](char const* key, std::optional<std::string> const& text) {
    if (text && text->size() <= longest_json) body[key] = json::parse(pg::storable_json(*text));
  };
  add("evaluation", enrichment.evaluation_json);
  add("collected", enrichment.collected_json);
  auto odd = json::array();
  for (auto const& each : enrichment.quarantine)
    if (odd.size() < most_quarantined)
      odd.push_back(pg::storable_text(std::string_view{each}.substr(0, longest_reason)));
  if (enrichment.summary && enrichment.summary->size() > longest_summary) odd.push_back("summary: too long");
  if (!odd.empty()) body["quarantine"] = std::move(odd);
  return body.dump();
}

}  // namespace

Async<Result<bool>> enrich_call(pg::Session& session, Enrichment enrichment) {
  auto const conversation = pg::storable_text(enrichment.conversation_id);
  auto const body = body_of(enrichment);
  pg::Params lock_params{conversation};
  auto const locked = co_await session.run(lock, std::move(lock_params));
  if (!locked) co_return std::unexpected{locked.error()};
  pg::Params params{conversation, body, enrichment.at};
  auto const found = co_await session.run(enrich, params);
  if (!found) co_return std::unexpected{found.error()};
  if ((*found)[0].integer("calls") > 0) co_return true;
  auto const waits = co_await session.run(wait_for_call, std::move(params));
  if (!waits) co_return std::unexpected{waits.error()};
  co_return false;
}

}  // namespace crm
