#include "gateway/commands/audit.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/store/audit.h"
#include "crm/store/tenants.h"
#include "gateway/base/time_source.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::AuditEntry;
using crm::AuditVerdict;
using crm::pg::Pool;

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    int limit = 50;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List what people did, newest first");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_option("--limit", given->limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 100'000));
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const entries =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<AuditEntry>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_audit(session, tenant, given->limit);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"AT", "WHO", "WHAT", "SUBJECT", "DETAIL", "TENANT", "NO"}};
    for (auto const& entry : entries) {
      auto const& fact = entry.fact;
      list.push_back({{"tenant_id", fact.tenant.text()},
                      {"ordinal", entry.ordinal},
                      {"at", base::iso8601(entry.at)},
                      {"actor", fact.actor},
                      {"action", fact.action},
                      {"subject", fact.subject},
                      {"detail", nlohmann::json::parse(fact.detail_json, nullptr, /*allow_exceptions=*/false)},
                      {"hash", entry.hash}});
      listing.add({base::iso8601(entry.at), printable(fact.actor), printable(fact.action), printable(fact.subject),
                   printable(fact.detail_json), fact.tenant.text(), std::to_string(entry.ordinal)});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

void declare_verify(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand(
      "verify", "See whether no entry of a tenant was changed or taken out; prints the newest hash, to keep elsewhere");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const verdict =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::optional<AuditVerdict>>> {
          base::TenantId const tenant{given->tenant};
          auto session = pool.until(deadline);
          auto const found = co_await crm::find_tenant(session, tenant);
          if (!found) co_return std::unexpected{found.error()};
          if (!*found) co_return std::nullopt;
          auto verified = co_await crm::verify_audit(session, tenant);
          if (!verified) co_return std::unexpected{verified.error()};
          co_return *std::move(verified);
        });
    if (!verdict) throw CommandFailure{fmt::format("there is no tenant {}", given->tenant)};
    auto const wrong = verdict->first_wrong;
    if (given->json)
      *context.out << nlohmann::json{{"entries", verdict->entries},
                                     {"whole", !wrong},
                                     {"first_wrong", wrong ? nlohmann::json(*wrong) : nlohmann::json(nullptr)},
                                     {"newest_hash", verdict->newest_hash}}
                          .dump()
                   << '\n';
    if (wrong) throw CommandFailure{fmt::format("entry {} does not follow from those before it", *wrong)};
    if (!given->json) *context.out << fmt::format("{} entries, whole; {}\n", verdict->entries, verdict->newest_hash);
  });
}

}  // namespace

void add_audit_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto& group = *app.add_subcommand("audit", "What people did to a business's records");
  group.require_subcommand(1);
  declare_list(group, context, exit_code);
  declare_verify(group, context, exit_code);
}

}  // namespace gateway
