#include "gateway/commands/keys.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/integrations/reseal.h"
#include "crm/store/audit.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::pg::Pool;

void add_generate(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto const json = std::make_shared<bool>(false);
  auto& command = *app.add_subcommand("generate-encryption-key", "Make a key for INTEGRATION_ENCRYPTION_KEY");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code, [context, json] {
    std::array<std::uint8_t, crm::vault_key_bytes> key{};
    base::fill_random(key);
    auto const text = base::to_hex(key);
    *context.out << (*json ? nlohmann::json{{"key", text}}.dump() : text) << '\n';
  });
}

/// And says so in the audit of each tenant.
Async<Result<crm::Rewrapped>> rotate(crm::pg::Session& session, crm::Vault& vault) {
  auto rewrapped = co_await vault.rewrap(session);
  if (!rewrapped) co_return std::unexpected{rewrapped.error()};
  for (auto const& tenant : rewrapped->tenants) {
    crm::AuditFact fact{
        .tenant = tenant, .actor = command_actor(), .action = "secrets.rotated", .subject = tenant.text()};
    auto const noted = co_await crm::append_audit(session, std::move(fact));
    if (!noted) co_return std::unexpected{noted.error()};
  }
  co_return rewrapped;
}

void add_rotate(CLI::App& group, CommandContext const& context, int& exit_code) {
  auto const json = std::make_shared<bool>(false);
  auto& command = *group.add_subcommand(
      "rotate",
      "Wrap the tenants' keys with INTEGRATION_ENCRYPTION_KEY; the old one is INTEGRATION_ENCRYPTION_KEY_PREVIOUS");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code, [context, json] {
    auto vault = open_vault(context.load_settings());
    auto const rewrapped =
        with_database(context, [&vault](Pool& pool, Instant deadline) -> Async<Result<crm::Rewrapped>> {
          auto const work = [&](crm::pg::Transaction& transaction) { return rotate(transaction, vault); };
          auto done = co_await pool.transaction(work, deadline);
          co_return done;
        });
    if (*json)
      *context.out << nlohmann::json{{"rewrapped", rewrapped.done}, {"unknown", rewrapped.unknown}}.dump() << '\n';
    else
      *context.out << fmt::format("keys wrapped anew: {}\n", rewrapped.done);
    if (rewrapped.unknown > 0)
      throw CommandFailure{
          fmt::format("{} keys are wrapped by a key that is neither INTEGRATION_ENCRYPTION_KEY nor in "
                      "INTEGRATION_ENCRYPTION_KEY_PREVIOUS",
                      rewrapped.unknown)};
  });
}

void add_migrate(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    bool dry_run = false;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand(
      "migrate", "Seal anew what an earlier product sealed with API_KEY_ENCRYPTION_SECRET; safe to repeat");
  command.add_flag("--dry-run", given->dry_run, "Only see whether it can be opened");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const settings = context.load_settings();
    if (settings.vault.api_key_encryption_secret.empty())
      throw CommandFailure{"API_KEY_ENCRYPTION_SECRET is not set: it opens what is to be sealed anew"};
    auto vault = open_vault(settings);
    auto const resealed = with_database(context, [&](Pool& pool, Instant deadline) {
      return crm::reseal_legacy(pool, vault, given->dry_run, command_actor(), deadline);
    });
    if (given->json)
      *context.out << nlohmann::json{{"resealed", given->dry_run ? 0 : resealed.done},
                                     {"can_be_resealed", given->dry_run ? resealed.done : 0},
                                     {"unreadable", resealed.unreadable},
                                     {"foreign", resealed.foreign},
                                     {"dry_run", given->dry_run}}
                          .dump()
                   << '\n';
    else
      *context.out << fmt::format(
          "{}: {}\n", given->dry_run ? "secrets that can be sealed anew" : "secrets sealed anew", resealed.done);
    if (resealed.unreadable + resealed.foreign > 0)
      throw CommandFailure{
          fmt::format("{} secrets cannot be opened with these keys, {} are in no known format; they stay as they are",
                      resealed.unreadable, resealed.foreign)};
  });
}

}  // namespace

crm::Vault open_vault(config::Settings const& settings) {
  auto masters = crm::MasterKeys::read(settings.vault);
  if (!masters) throw CommandFailure{masters.error().detail};
  std::optional<crm::LegacyKey> legacy;
  if (!settings.vault.api_key_encryption_secret.empty()) legacy.emplace(settings.vault.api_key_encryption_secret);
  return crm::Vault{std::move(*masters), std::move(legacy)};
}

void add_key_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  add_generate(app, context, exit_code);
  auto& group = *app.add_subcommand("secrets", "Credentials of tenants' integrations");
  group.require_subcommand(1);
  add_rotate(group, context, exit_code);
  add_migrate(group, context, exit_code);
}

}  // namespace gateway
