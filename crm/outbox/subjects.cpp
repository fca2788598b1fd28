#include "crm/outbox/subjects.h"

#include <nlohmann/json.hpp>

namespace crm {
namespace {

using base::Async;
using base::Result;
using Json = nlohmann::json;

constexpr pg::Query contact_by_id{
    "contact_for_crm",
    "select id, full_name, coalesce(phone_e164, '') as phone, coalesce(email, '') as email, company, source, "
    "to_jsonb(tags) as tags, custom_fields from contacts where tenant_id = $1 and id = $2"};
constexpr pg::Query appointment_by_id{
    "appointment_for_crm",
    "select id, service, starts_at, ends_at, location, notes, status from appointments "
    "where tenant_id = $1 and id = $2"};
constexpr pg::Query lead_by_id{
    "lead_for_crm",
    "select id, business_name, status, category, source, notes from leads where tenant_id = $1 and id = $2"};
constexpr pg::Query call_by_id{
    "call_for_crm",
    "select c.call_sid, c.direction, c.from_number, c.to_number, c.started_at, coalesce(c.duration_ms, 0) as "
    "duration_ms, c.status, coalesce(o.category, '') as outcome, coalesce(o.summary, '') as summary "
    "from calls c left join call_outcomes o on o.tenant_id = c.tenant_id and o.call_id = c.id "
    "where c.tenant_id = $1 and c.id = $2"};

CrmContact to_contact(pg::Row const& row) {
  CrmContact contact;
  contact.key = row.text("id");
  auto const name = row.text("full_name");
  auto const space = name.rfind(' ');
  contact.first_name = name.substr(0, space);
  if (space != std::string::npos) contact.last_name = name.substr(space + 1);
  contact.email = row.text("email");
  contact.phone = row.text("phone");
  contact.company = row.text("company");
  contact.source = row.text("source");
  auto const tags = Json::parse(row.text("tags"), nullptr, /*allow_exceptions=*/false);
  for (auto const& tag : tags) contact.tags.push_back(tag.get<std::string>());
  auto const fields = Json::parse(row.text("custom_fields"), nullptr, /*allow_exceptions=*/false);
  for (auto const& [name_of_field, value] : fields.items())
    contact.custom_fields[name_of_field] = value.is_string() ? value.get<std::string>() : value.dump();
  return contact;
}

CrmAppointment to_appointment(pg::Row const& row) {
  auto title = row.text("service");
  if (title.empty()) title = "Appointment";
  return {row.text("id"),       std::move(title),  row.time("starts_at"), row.time("ends_at"),
          row.text("location"), row.text("notes"), row.text("status")};
}

CrmLead to_lead(pg::Row const& row) {
  return {row.text("id"),       row.text("business_name"), row.text("status"),
          row.text("category"), row.text("source"),        row.text("notes")};
}

CrmCall to_call(pg::Row const& row) {
  CrmCall call;
  call.key = row.text("call_sid");
  call.direction = row.text("direction") == "outbound" ? CallDirection::outbound : CallDirection::inbound;
  call.from = row.text("from_number");
  call.to = row.text("to_number");
  call.started_at = row.time("started_at");
  call.duration = std::chrono::milliseconds{row.integer("duration_ms")};
  call.status = row.text("status");
  call.outcome = row.text("outcome");
  call.summary = row.text("summary");
  return call;
}

template <class T>
Async<Result<std::optional<T>>> one(pg::Session& session, pg::Query query, base::TenantId tenant, std::string id,
                                    T (*map)(pg::Row const&)) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<T> found;
  if (!rows->empty()) found = map((*rows)[0]);
  co_return found;
}

}  // namespace

Async<Result<std::optional<CrmContact>>> contact_for_crm(pg::Session& session, base::TenantId tenant,
                                                         std::string contact) {
  return one(session, contact_by_id, std::move(tenant), std::move(contact), to_contact);
}

Async<Result<std::optional<CrmAppointment>>> appointment_for_crm(pg::Session& session, base::TenantId tenant,
                                                                 std::string appointment) {
  return one(session, appointment_by_id, std::move(tenant), std::move(appointment), to_appointment);
}

Async<Result<std::optional<CrmLead>>> lead_for_crm(pg::Session& session, base::TenantId tenant, std::string lead) {
  return one(session, lead_by_id, std::move(tenant), std::move(lead), to_lead);
}

Async<Result<std::optional<CrmCall>>> call_for_crm(pg::Session& session, base::TenantId tenant, std::string call) {
  return one(session, call_by_id, std::move(tenant), std::move(call), to_call);
}

}  // namespace crm
