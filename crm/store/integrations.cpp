#include "crm/store/integrations.h"

#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{"insert_integration",
                           "insert into integrations (tenant_id, id, provider, name, status, settings, secret, events) "
                           "values ($1, $2, $3, $4, $5, $6::jsonb, $7, "
                           "array(select jsonb_array_elements_text($8::jsonb)))"};
constexpr pg::Query one{"find_integration",
                        "select tenant_id, id, provider, name, status, settings, secret, to_jsonb(events) as events "
                        "from integrations where tenant_id = $1 and id = $2"};
constexpr pg::Query all{"list_integrations",
                        "select tenant_id, id, provider, name, status, settings, secret, to_jsonb(events) as events "
                        "from integrations where $1::text is null or tenant_id = $1 order by tenant_id, name"};
constexpr pg::Query set_status{
    "set_integration_status",
    "update integrations set status = $3, updated_at = now() where tenant_id = $1 and id = $2"};

IntegrationStatus status_from(std::string const& text) {
  if (text == "active") return IntegrationStatus::active;
  return text == "needs_reauth" ? IntegrationStatus::needs_reauth : IntegrationStatus::disabled;
}

Integration to_integration(pg::Row const& row) {
  Integration integration{
      base::TenantId{row.text("tenant_id")}, IntegrationId{row.text("id")}, row.text("provider"),      row.text("name"),
      status_from(row.text("status")),       row.text("settings"),          row.text_if_any("secret"), {}};
  auto const events = nlohmann::json::parse(row.text("events"), nullptr, /*allow_exceptions=*/false);
  for (auto const& event : events) integration.events.push_back(event.get<std::string>());
  return integration;
}

}  // namespace

Async<Result<>> insert_integration(pg::Session& session, Integration integration) {
  pg::Params params{integration.tenant,
                    integration.id,
                    pg::storable_text(integration.provider),
                    pg::storable_text(integration.name),
                    to_string(integration.status),
                    integration.settings_json,
                    integration.sealed_secret,
                    nlohmann::json(integration.events).dump()};
  auto const rows = co_await session.run(insert, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<std::optional<Integration>>> find_integration(pg::Session& session, base::TenantId tenant,
                                                           IntegrationId id) {
  pg::Params params{tenant, id};
  auto const rows = co_await session.run(one, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<Integration> found;
  if (!rows->empty()) found = to_integration((*rows)[0]);
  co_return found;
}

Async<Result<std::vector<Integration>>> list_integrations(pg::Session& session, std::optional<base::TenantId> tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(all, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<Integration> found;
  for (std::size_t i = 0; i < rows->size(); ++i) found.push_back(to_integration((*rows)[i]));
  co_return found;
}

Async<Result<bool>> set_integration_status(pg::Session& session, base::TenantId tenant, IntegrationId id,
                                           IntegrationStatus status) {
  pg::Params params{tenant, id, to_string(status)};
  auto const rows = co_await session.run(set_status, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return rows->affected() > 0;
}

}  // namespace crm
