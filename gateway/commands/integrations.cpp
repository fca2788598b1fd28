#include "gateway/commands/integrations.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/adapters/adapters.h"
#include "crm/adapters/webhook/message.h"
#include "crm/adapters/webhook/signature.h"
#include "crm/adapters/webhook/webhook.h"
#include "crm/integrations/reveal.h"
#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/store.h"
#include "crm/store/audit.h"
#include "crm/store/integrations.h"
#include "gateway/base/time_source.h"
#include "gateway/commands/keys.h"
#include "gateway/commands/listing.h"
#include "gateway/commands/secret_file.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::Integration;
using crm::IntegrationStatus;
using crm::pg::Pool;

constexpr auto most_event_names = 50;

struct Added {
  std::string tenant, name, provider = "webhook", url, secret_file;
  std::vector<std::string> settings, events;
  bool json = false;
};

std::string settings_of(Added const& given) {
  if (given.provider == "webhook") {
    auto json = crm::webhook::to_json({given.url});
    auto const usable = crm::webhook::read_settings(json);
    if (!usable) throw CommandFailure{usable.error().detail};
    return json;
  }
  auto json = nlohmann::json::object();
  if (!given.url.empty()) json["base_url"] = given.url;
  for (auto const& setting : given.settings) {
    auto const equals = setting.find('=');
    if (equals == std::string::npos) throw CommandFailure{fmt::format("'{}' is not NAME=VALUE", setting)};
    json[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return json.dump();
}

base::Secret secret_of(Added const& given) {
  bool const is_webhook = given.provider == "webhook";
  if (given.secret_file.empty() && is_webhook) return crm::webhook::new_signing_secret();
  if (given.secret_file.empty()) throw CommandFailure{"--secret-file: which file holds the access token?"};
  auto secret = read_secret(given.secret_file);
  if (is_webhook && !crm::webhook::read_signing_secret(secret))
    throw CommandFailure{"a webhook's secret is whsec_ and base64 of 24 to 64 bytes"};
  return secret;
}

/// Before anything is stored, and without talking to anybody.
void check_adapter(Integration const& integration, base::Secret const& secret) {
  if (integration.provider == "webhook") return;
  net::HttpClient http;
  base::SystemTime time;
  if (!crm::make_adapter(integration.provider, {integration.settings_json, secret}, http, time))
    throw CommandFailure{fmt::format("{} does not take these settings", integration.provider)};
}

crm::AuditFact fact_of(Integration const& integration, std::string action, nlohmann::json const& detail) {
  return {.tenant = integration.tenant,
          .actor = command_actor(),
          .action = std::move(action),
          .subject = integration.id.text(),
          .detail_json = detail.dump()};
}

/// And says so in the audit.
Async<Result<>> set_status(Pool& pool, Integration const& integration, IntegrationStatus status, Instant deadline) {
  auto const work = [&](crm::pg::Transaction& transaction) -> Async<Result<>> {
    auto const set = co_await crm::set_integration_status(transaction, integration.tenant, integration.id, status);
    if (!set) co_return std::unexpected{set.error()};
    if (!*set) co_return base::fail(base::Fault::not_found, "the integration is gone");
    co_return Result<>{};
  };
  auto fact = fact_of(integration, "integration.updated", {{"status", crm::to_string(status)}});
  auto const done = co_await crm::audited(pool, std::move(fact), work, deadline);
  co_return done;
}

void add(CommandContext const& context, Added const& given) {
  if (given.provider != "webhook" && !crm::has_adapter(given.provider))
    throw CommandFailure{fmt::format("there is no provider '{}'", given.provider)};
  Integration integration{base::TenantId{given.tenant},
                          crm::IntegrationId{base::new_id("int")},
                          given.provider,
                          given.name,
                          IntegrationStatus::active,
                          settings_of(given),
                          {},
                          given.events};
  auto const secret = secret_of(given);
  check_adapter(integration, secret);
  auto vault = open_vault(context.load_settings());
  auto const added = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<>> {
    auto const work = [&](crm::pg::Transaction& transaction) -> Async<Result<>> {
      auto sealed = co_await vault.seal(transaction, crm::place_of(integration), secret);
      if (!sealed) co_return std::unexpected{sealed.error()};
      integration.sealed_secret = std::move(*sealed);
      auto const done = co_await crm::insert_integration(transaction, integration);
      co_return done;
    };
    auto const done = co_await crm::audited(
        pool, fact_of(integration, "integration.added", {{"provider", integration.provider}}), work, deadline);
    co_return done;
  });
  if (!added && added.error().fault == base::Fault::conflict)
    throw CommandFailure{fmt::format("the tenant has an integration '{}' already", given.name)};
  if (!added && added.error().fault == base::Fault::not_found)
    throw CommandFailure{fmt::format("there is no tenant {}", given.tenant)};
  if (!added) throw CommandFailure{sentence_for(added.error())};
  bool const made_here = given.secret_file.empty();
  if (given.json) {
    nlohmann::json json{{"id", integration.id.text()}};
    if (made_here) json["signing_secret"] = secret.reveal();
    *context.out << json.dump() << '\n';
    return;
  }
  *context.out << integration.id.text() << '\n';
  if (made_here) *context.out << fmt::format("signing secret, shown this once: {}\n", secret.reveal());
}

void declare_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  auto const given = std::make_shared<Added>();
  auto& command =
      *group.add_subcommand("add", "Tell another system; prints its id, and a webhook's signing secret once");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_option("--name", given->name, "The tenant's word for it")->required();
  command.add_option("--provider", given->provider, "webhook, or the name of a CRM")->capture_default_str();
  command.add_option("--url", given->url, "Where a webhook is posted to; a CRM's base URL");
  command.add_option("--secret-file", given->secret_file, "File with a CRM's access token, or a webhook's secret");
  command.add_option("--setting", given->settings, "NAME=VALUE of a CRM; may be repeated");
  command.add_option("--event", given->events, "Only such events, call.ended; may be repeated")
      ->expected(0, most_event_names);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] { add(context, *given); });
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List the systems that are told");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const integrations =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<Integration>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_integrations(session, tenant);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "NAME", "PROVIDER", "STATUS", "EVENTS", "TENANT"}};
    for (auto const& each : integrations) {
      list.push_back({{"id", each.id.text()},
                      {"tenant_id", each.tenant.text()},
                      {"name", each.name},
                      {"provider", each.provider},
                      {"status", crm::to_string(each.status)},
                      {"settings", nlohmann::json::parse(each.settings_json, nullptr, /*allow_exceptions=*/false)},
                      {"events", each.events}});
      listing.add({each.id.text(), printable(each.name), printable(each.provider),
                   std::string{crm::to_string(each.status)},
                   each.events.empty() ? "all" : printable(fmt::format("{}", fmt::join(each.events, ","))),
                   each.tenant.text()});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

/// By id alone: ids are unique enough for whoever may see all tenants.
Async<Result<std::optional<Integration>>> find(Pool& pool, std::string id, Instant deadline) {
  auto session = pool.until(deadline);
  auto all = co_await crm::list_integrations(session, std::nullopt);
  if (!all) co_return std::unexpected{all.error()};
  std::optional<Integration> found;
  for (auto& each : *all)
    if (each.id.text() == id) found = std::move(each);
  co_return found;
}

void declare_status(CLI::App& group, CommandContext const& context, int& exit_code, char const* name, char const* what,
                    IntegrationStatus status) {
  auto const id = std::make_shared<std::string>();
  auto& command = *group.add_subcommand(name, what);
  command.add_option("id", *id, "Id (int_…)")->required();
  on_command(command, context, exit_code, [context, id, status] {
    bool const done = with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<bool>> {
      auto const found = co_await find(pool, *id, deadline);
      if (!found) co_return std::unexpected{found.error()};
      if (!*found) co_return false;
      auto const set = co_await set_status(pool, **found, status, deadline);
      if (!set) co_return std::unexpected{set.error()};
      co_return true;
    });
    if (!done) throw CommandFailure{fmt::format("there is no integration {}", *id)};
  });
}

struct Verdict {
  bool works = false;
  std::string words;
};

std::string words_for(crm::DeliveryFault const& fault) {
  return fmt::format("{}: {}", crm::to_string(fault.kind), fault.detail);
}

Async<Verdict> try_out(Pool& pool, crm::Vault& vault, net::HttpClient& http, Integration integration,
                       Instant deadline) {
  base::SystemTime time;
  auto const reveal = crm::reveal_with(vault, pool);
  if (integration.provider == "webhook") {
    crm::webhook::Webhook webhook{http, pool, time, reveal};
    auto const receipt = co_await webhook.test(std::move(integration), deadline);
    co_return receipt ? Verdict{true, fmt::format("answered {}", receipt->http_status.value_or(0))}
                      : Verdict{false, words_for(receipt.error())};
  }
  crm::CrmDeliverer crm{pool, reveal, [&](std::string_view provider, crm::AdapterSettings settings) {
                          return crm::make_adapter(provider, std::move(settings), http, time);
                        }};
  auto const report = co_await crm.test(std::move(integration), deadline);
  co_return report ? Verdict{true, "connected to " + report->account} : Verdict{false, words_for(report.error())};
}

void declare_test(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand(
      "test", "See whether the other system lets us in; one that waited for that is active again");
  command.add_option("id", given->id, "Id (int_…)")->required();
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const settings = context.load_settings();
    auto vault = open_vault(settings);
    auto policy = net::EgressPolicy::make(settings.egress.allow, settings.egress.ports);
    if (!policy) throw CommandFailure{policy.error().detail};
    net::HttpClient http{{}, std::move(*policy)};
    auto const verdict =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::optional<Verdict>>> {
          auto const found = co_await find(pool, given->id, deadline);
          if (!found) co_return std::unexpected{found.error()};
          if (!*found) co_return std::nullopt;
          auto tried = co_await try_out(pool, vault, http, **found, deadline);
          if (!tried.works || (*found)->status != IntegrationStatus::needs_reauth) co_return tried;
          auto const set = co_await set_status(pool, **found, IntegrationStatus::active, deadline);
          if (!set) co_return std::unexpected{set.error()};
          co_return tried;
        });
    if (!verdict) throw CommandFailure{fmt::format("there is no integration {}", given->id)};
    if (given->json) *context.out << nlohmann::json{{"ok", verdict->works}, {"detail", verdict->words}}.dump() << '\n';
    if (!verdict->works) throw CommandFailure{printable(verdict->words)};
    if (!given->json) *context.out << printable(verdict->words) << '\n';
  });
}

}  // namespace

void add_integration_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto& group = *app.add_subcommand("integrations", "The other systems that a tenant wants told");
  group.require_subcommand(1);
  declare_add(group, context, exit_code);
  declare_list(group, context, exit_code);
  declare_test(group, context, exit_code);
  declare_status(group, context, exit_code, "enable", "Tell it again what waits", IntegrationStatus::active);
  declare_status(group, context, exit_code, "disable", "Tell it nothing more; what waits stays",
                 IntegrationStatus::disabled);
}

}  // namespace gateway
