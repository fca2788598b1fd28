#include "crm/outcome/settled_call.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query find{
    "find_settled_call",
    "select c.contact_id as contact, c.contact_match, o.*, (o.confidence * 1000)::int as confidence_mille from calls c "
    "left join call_outcomes o on o.tenant_id = c.tenant_id and o.call_id = c.id where c.tenant_id = $1 and c.id = $2"};
constexpr pg::Query to_tell{
    "outbox_of_call",
    "select b.*, coalesce(i.name, b.target) as goes_to from outbox b left join integrations i "
    "on i.tenant_id = b.tenant_id and i.id = b.integration_id where b.tenant_id = $1 and b.call_id = $2 "
    "order by b.sequence"};

StoredOutcome to_outcome(pg::Row const& row) {
  StoredOutcome stored;
  auto& outcome = stored.outcome;
  outcome.category = outcome_category_from(row.text("category")).value_or(OutcomeCategory::other);
  outcome.confidence = static_cast<double>(row.integer("confidence_mille")) / 1000;
  outcome.reason = row.text("reason");
  outcome.follow_up = row.boolean("follow_up");
  outcome.follow_up_reason = row.text("follow_up_reason");
  outcome.appointment_id = row.text_if_any("appointment_id");
  stored.confirmation_number = row.text_if_any("confirmation_number");
  stored.summary = row.text_if_any("summary");
  stored.evaluation_json = row.text_if_any("evaluation");
  stored.collected_json = row.text_if_any("collected");
  stored.quarantine_json = row.text_if_any("quarantine");
  stored.enriched_from = row.text_if_any("enriched_from");
  stored.enriched_at = row.time_if_any("enriched_at");
  stored.poll_ended = row.text_if_any("poll_ended");
  return stored;
}

ToTell to_row(pg::Row const& row) {
  ToTell each{.id = row.text("id"),
              .event = row.text("event"),
              .to = row.text("goes_to"),
              .status = row.text("status"),
              .attempts = static_cast<int>(row.integer("attempts")),
              .parked_reason = row.text_if_any("parked_reason"),
              .remote_id = row.text_if_any("remote_id")};
  if (each.status == "waiting") each.next_at = row.time("next_at");
  return each;
}

}  // namespace

Async<Result<SettledCall>> find_settled_call(pg::Session& session, base::TenantId tenant, base::CallId call) {
  SettledCall settled;
  pg::Params params{tenant, call};
  auto const found = co_await session.run(find, params);
  if (!found) co_return std::unexpected{found.error()};
  if (!found->empty()) {
    auto const row = (*found)[0];
    if (auto contact = row.text_if_any("contact")) settled.contact = ContactId{*std::move(contact)};
    settled.contact_match = row.text_if_any("contact_match");
    if (row.text_if_any("category")) settled.outcome = to_outcome(row);
  }
  auto const rows = co_await session.run(to_tell, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  for (std::size_t i = 0; i < rows->size(); ++i) settled.outbox.push_back(to_row((*rows)[i]));
  co_return settled;
}

}  // namespace crm
