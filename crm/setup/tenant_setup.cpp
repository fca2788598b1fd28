#include "crm/setup/tenant_setup.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crm/store/audit.h"
#include "crm/store/tenants.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

/// The database does the arithmetic of appointments: it must know the zone, too.
Async<Result<>> check_zone(pg::Session& session, TenantSetup& setup) {
  auto const known = co_await is_timezone(session, setup.tenant.timezone);
  if (!known) co_return std::unexpected{known.error()};
  if (!*known) setup.faults.push_back(fmt::format("there is no time zone '{}'", setup.tenant.timezone));
  co_return Result<>{};
}

AuditFact fact_of(Tenant const& tenant, std::string actor, std::string action, std::vector<std::string> const& what) {
  return {.tenant = tenant.id,
          .actor = std::move(actor),
          .action = std::move(action),
          .subject = tenant.id.text(),
          .detail_json = nlohmann::json{{"changed", what}}.dump()};
}

}  // namespace

Async<Result<TenantSetup>> add_tenant(pg::Session& session, TenantChanges changes, std::string actor) {
  TenantSetup setup;
  if (!changes.name) changes.name = "";
  setup.faults = apply(changes, setup.tenant);
  if (!setup.faults.empty()) co_return setup;
  auto const checked = co_await check_zone(session, setup);
  if (!checked) co_return std::unexpected{checked.error()};
  if (!setup.faults.empty()) co_return setup;
  setup.tenant.id = base::TenantId{base::new_id("ten")};
  auto const added = co_await insert_tenant(session, setup.tenant);
  if (!added) co_return std::unexpected{added.error()};
  auto const noted = co_await append_audit(
      session, fact_of(setup.tenant, std::move(actor), "tenant.added", differences(Tenant{}, setup.tenant)));
  if (!noted) co_return std::unexpected{noted.error()};
  co_return setup;
}

Async<Result<TenantSetup>> change_tenant(pg::Session& session, base::TenantId id, TenantChanges changes,
                                         std::string actor) {
  auto const found = co_await lock_tenant(session, id);
  if (!found) co_return std::unexpected{found.error()};
  if (!*found) co_return base::fail(base::Fault::not_found, "no such tenant");
  TenantSetup setup{.tenant = **found, .faults = {}};
  setup.faults = apply(changes, setup.tenant);
  if (!setup.faults.empty()) co_return setup;
  auto const what = differences(**found, setup.tenant);
  if (what.empty()) co_return setup;
  auto const checked = co_await check_zone(session, setup);
  if (!checked) co_return std::unexpected{checked.error()};
  if (!setup.faults.empty()) co_return setup;
  auto const updated = co_await update_tenant(session, setup.tenant);
  if (!updated) co_return std::unexpected{updated.error()};
  auto const noted = co_await append_audit(session, fact_of(setup.tenant, std::move(actor), "tenant.updated", what));
  if (!noted) co_return std::unexpected{noted.error()};
  co_return setup;
}

}  // namespace crm
