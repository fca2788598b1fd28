#include "crm/store/services.h"

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_service",
                           "insert into services (tenant_id, id, name, minutes, calendar, status) "
                           "values ($1, $2, $3, $4, $5, $6)"};
constexpr pg::Query update{"update_service",
                           "update services set name = $3, minutes = $4, calendar = $5, status = $6 "
                           "where tenant_id = $1 and id = $2"};
constexpr pg::Query all{"list_services",
                        "select tenant_id, id, name, minutes, calendar, status from services "
                        "where $1::text is null or tenant_id = $1 order by tenant_id, name"};
constexpr pg::Query by_id{
    "lock_service", "select tenant_id, id, name, minutes, calendar, status from services where id = $1 for update"};
constexpr pg::Query named{"service_named",
                          "select tenant_id, id, name, minutes, calendar, status from services "
                          "where tenant_id = $1 and lower(name) = lower(btrim($2)) and status = 'active'"};

pg::Params params_of(Service const& service) {
  return {service.tenant,
          service.id,
          pg::storable_text(service.name),
          service.minutes,
          pg::storable_text(service.calendar),
          service.active ? "active" : "inactive"};
}

Service to_service(pg::Row const& row) {
  return Service{.tenant = base::TenantId{row.text("tenant_id")},
                 .id = ServiceId{row.text("id")},
                 .name = row.text("name"),
                 .minutes = static_cast<int>(row.integer("minutes")),
                 .calendar = row.text("calendar"),
                 .active = row.text("status") == "active"};
}

Async<Result<std::optional<Service>>> first_of(pg::Session& session, pg::Query query, pg::Params params) {
  auto const rows = co_await session.run(query, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Service> service;
  if (!rows->empty()) service = to_service((*rows)[0]);
  co_return service;
}

}  // namespace

Async<Result<>> insert_service(pg::Session& session, Service service) {
  auto const rows = co_await session.run(insert, params_of(service));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<>> update_service(pg::Session& session, Service service) {
  auto const rows = co_await session.run(update, params_of(service));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->affected() == 0) co_return base::fail(base::Fault::not_found, "no such service");
  co_return Result<>{};
}

Async<Result<std::vector<Service>>> list_services(pg::Session& session, std::optional<base::TenantId> tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(all, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Service> services;
  for (std::size_t i = 0; i < rows->size(); ++i) services.push_back(to_service((*rows)[i]));
  co_return services;
}

Async<Result<std::optional<Service>>> lock_service(pg::Session& session, ServiceId const& id) {
  return first_of(session, by_id, pg::Params{id});
}

Async<Result<std::optional<Service>>> service_named(pg::Session& session, base::TenantId const& tenant,
                                                    std::string const& name) {
  return first_of(session, named, pg::Params{tenant, name});
}

}  // namespace crm
