#include "crm/setup/service_setup.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"
#include "crm/store/audit.h"
#include "crm/store/services.h"
#include "gateway/base/text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;
using Faults = std::vector<std::string>;

constexpr std::size_t longest_name = 100;  // of what an agent may say

void set_text(std::optional<std::string> const& given, std::string_view what, std::string& text, Faults& faults) {
  if (!given) return;
  auto short_form = pg::storable_text(base::trimmed(*given));
  if (short_form.empty())
    faults.push_back(fmt::format("a service needs a {}", what));
  else if (short_form.size() > longest_name)
    faults.push_back(fmt::format("{}: longer than {} bytes", what, longest_name));
  else
    text = std::move(short_form);
}

Async<Result<>> note(pg::Session& session, Service const& service, std::string actor, std::string action) {
  AuditFact fact{.tenant = service.tenant,
                 .actor = std::move(actor),
                 .action = std::move(action),
                 .subject = service.id.text(),
                 .detail_json = nlohmann::json{{"minutes", service.minutes}, {"active", service.active}}.dump()};
  return append_audit(session, std::move(fact));
}

}  // namespace

std::vector<std::string> apply(ServiceChanges const& changes, Service& service) {
  Faults faults;
  set_text(changes.name, "name", service.name, faults);
  set_text(changes.calendar, "calendar", service.calendar, faults);
  // The limits are those of the schema.
  if (changes.minutes && (*changes.minutes < 5 || *changes.minutes > 480))
    faults.push_back(fmt::format("minutes: {} is not between 5 and 480", *changes.minutes));
  else if (changes.minutes)
    service.minutes = *changes.minutes;
  if (changes.status && *changes.status != "active" && *changes.status != "inactive")
    faults.emplace_back("status: active or inactive");
  else if (changes.status)
    service.active = *changes.status == "active";
  return faults;
}

Async<Result<ServiceSetup>> add_service(pg::Session& session, base::TenantId tenant, ServiceChanges changes,
                                        std::string actor) {
  ServiceSetup setup;
  if (!changes.name) changes.name = "";
  setup.faults = apply(changes, setup.service);
  if (!setup.faults.empty()) co_return setup;
  setup.service.tenant = std::move(tenant);
  setup.service.id = ServiceId{base::new_id("svc")};
  auto const added = co_await insert_service(session, setup.service);
  if (!added) co_return std::unexpected{added.error()};
  auto const noted = co_await note(session, setup.service, std::move(actor), "service.added");
  if (!noted) co_return std::unexpected{noted.error()};
  co_return setup;
}

Async<Result<ServiceSetup>> change_service(pg::Session& session, ServiceId id, ServiceChanges changes,
                                           std::string actor) {
  auto const found = co_await lock_service(session, id);
  if (!found) co_return std::unexpected{found.error()};
  if (!*found) co_return base::fail(base::Fault::not_found, "no such service");
  ServiceSetup setup{.service = **found, .faults = {}};
  setup.faults = apply(changes, setup.service);
  if (!setup.faults.empty()) co_return setup;
  auto const updated = co_await update_service(session, setup.service);
  if (!updated) co_return std::unexpected{updated.error()};
  auto const noted = co_await note(session, setup.service, std::move(actor), "service.updated");
  if (!noted) co_return std::unexpected{noted.error()};
  co_return setup;
}

}  // namespace crm
