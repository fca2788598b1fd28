#include "crm/store/appointments.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;

constexpr pg::Query insert{
    "insert_appointment",
    "insert into appointments (tenant_id, id, contact_id, call_id, service, starts_at, ends_at, status, held_until, "
    "location, notes, request_key, calendar) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};

constexpr pg::Query by_id{
    "find_appointment",
    "select a.tenant_id, a.id, a.contact_id, a.call_id, a.service, a.starts_at, a.ends_at, a.status, a.held_until, "
    "a.location, a.notes, a.request_key, a.version, a.calendar, "
    "extract(epoch from (a.starts_at at time zone t.timezone) - (a.starts_at at time zone 'UTC'))::int as utc_offset_s "
    "from appointments a join tenants t on t.id = a.tenant_id "
    "where a.tenant_id = $1 and a.id = $2"};
constexpr pg::Query coming{
    "coming_appointments",
    "select a.tenant_id, a.id, a.contact_id, a.call_id, a.service, a.starts_at, a.ends_at, a.status, a.held_until, "
    "a.location, a.notes, a.request_key, a.version, a.calendar, "
    "extract(epoch from (a.starts_at at time zone t.timezone) - (a.starts_at at time zone 'UTC'))::int as utc_offset_s "
    "from appointments a join tenants t on t.id = a.tenant_id "
    "where a.tenant_id = $1 and (a.contact_id = $2 or a.call_id = $3) and a.ends_at > $4::timestamptz "
    "and a.status in ('unconfirmed', 'confirmed') order by a.starts_at, a.id limit 10"};

constexpr pg::Query move{"move_appointment",
                         "update appointments set starts_at = $3, ends_at = $4, status = 'unconfirmed', "
                         "version = version + 1, updated_at = now() where tenant_id = $1 and id = $2 "
                         "and status in ('unconfirmed', 'confirmed') returning version"};
constexpr pg::Query cancel{"cancel_appointment",
                           "update appointments set status = 'cancelled', held_until = null, version = version + 1, "
                           "updated_at = now() where tenant_id = $1 and id = $2 "
                           "and status in ('unconfirmed', 'confirmed') returning version"};
constexpr pg::Query confirm{"confirm_appointment",
                            "update appointments set status = 'confirmed', version = version + 1, updated_at = now() "
                            "where tenant_id = $1 and id = $2 and status = 'unconfirmed'"};
constexpr pg::Query adopt{"adopt_appointments",
                          "update appointments set contact_id = $3, updated_at = now() where tenant_id = $1 "
                          "and call_id = $2 and contact_id is null and status in ('unconfirmed', 'confirmed')"};
constexpr pg::Query release{"release_holds",
                            "delete from appointments where tenant_id = $1 and call_id = $2 and status = 'held'"};
constexpr pg::Query drop_expired{
    "drop_expired_holds", "delete from appointments where tenant_id = $1 and status = 'held' and held_until <= $2"};

Appointment to_appointment(pg::Row const& row) {
  Appointment appointment;
  appointment.tenant = base::TenantId{row.text("tenant_id")};
  appointment.id = AppointmentId{row.text("id")};
  if (auto const contact = row.text_if_any("contact_id")) appointment.contact = ContactId{*contact};
  if (auto const call = row.text_if_any("call_id")) appointment.call = base::CallId{*call};
  appointment.service = row.text("service");
  appointment.calendar = row.text("calendar");
  appointment.starts_at = row.time("starts_at");
  appointment.ends_at = row.time("ends_at");
  appointment.utc_offset = std::chrono::seconds{row.integer("utc_offset_s")};
  appointment.status = appointment_status_from(row.text("status")).value_or(AppointmentStatus::cancelled);
  appointment.held_until = row.time_if_any("held_until");
  appointment.location = row.text("location");
  appointment.notes = row.text("notes");
  appointment.request_key = row.text_if_any("request_key");
  appointment.version = static_cast<int>(row.integer("version"));
  return appointment;
}

Async<Result<int>> change(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->empty()) co_return base::fail(Fault::not_found, "no such appointment stands");
  co_return static_cast<int>((*rows)[0].integer("version"));
}

}  // namespace

Async<Result<>> insert_appointment(pg::Session& session, Appointment appointment) {
  pg::Params params{appointment.tenant,     appointment.id,        appointment.contact, appointment.call,
                    appointment.service,    appointment.starts_at, appointment.ends_at, to_string(appointment.status),
                    appointment.held_until, appointment.location,  appointment.notes,   appointment.request_key,
                    appointment.calendar};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::optional<Appointment>>> find_appointment(pg::Session& session, base::TenantId tenant,
                                                           AppointmentId id) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(by_id, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Appointment> appointment;
  if (!rows->empty()) appointment = to_appointment((*rows)[0]);
  co_return appointment;
}

Async<Result<std::vector<Appointment>>> coming_appointments(pg::Session& session, AppointmentsOf whose) {
  pg::Params params{whose.tenant, whose.contact, whose.call, whose.now};
  auto const rows = co_await session.run(coming, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Appointment> appointments;
  for (std::size_t i = 0; i < rows->size(); ++i) appointments.push_back(to_appointment((*rows)[i]));
  co_return appointments;
}

Async<Result<int>> move_appointment(pg::Session& session, base::TenantId tenant, AppointmentId id, Wall starts_at,
                                    Wall ends_at) {
  pg::Params params{tenant, id, starts_at, ends_at};
  co_return co_await change(session, move, std::move(params));
}

Async<Result<int>> cancel_appointment(pg::Session& session, base::TenantId tenant, AppointmentId id) {
  pg::Params params{tenant, id};
  co_return co_await change(session, cancel, std::move(params));
}

Async<Result<std::optional<Confirmation>>> confirm_appointment(pg::Session& session, base::TenantId tenant,
                                                               AppointmentId id) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(confirm, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  auto const now = co_await find_appointment(session, tenant, id);
  if (!now) co_return std::unexpected{now.error()};
  std::optional<Confirmation> confirmation;
  bool const stands = *now && (*now)->status == AppointmentStatus::confirmed;
  if (stands) confirmation = Confirmation{.appointment = **now, .changed = rows->affected() > 0};
  co_return confirmation;
}

Async<Result<>> adopt_appointments(pg::Session& session, base::TenantId tenant, base::CallId call, ContactId contact) {
  pg::Params params{tenant, call, contact};
  auto const rows = co_await session.run(adopt, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::int64_t>> release_holds(pg::Session& session, base::TenantId tenant, base::CallId call) {
  pg::Params params{tenant, call};
  auto const rows = co_await session.run(release, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected();
}

Async<Result<>> drop_expired_holds(pg::Session& session, base::TenantId tenant, Wall now) {
  pg::Params params{tenant, now};
  auto const rows = co_await session.run(drop_expired, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

}  // namespace crm
