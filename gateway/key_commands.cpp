#include "gateway/key_commands.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/integrations/vault.h"

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

void add_rotate(CLI::App& group, CommandContext const& context, int& exit_code) {
  auto const json = std::make_shared<bool>(false);
  auto& command = *group.add_subcommand(
      "rotate",
      "Wrap the tenants' keys with INTEGRATION_ENCRYPTION_KEY; the old one is INTEGRATION_ENCRYPTION_KEY_PREVIOUS");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code, [context, json] {
    auto masters = crm::MasterKeys::read(context.load_settings().vault);
    if (!masters) throw CommandFailure{masters.error().detail};
    crm::Vault vault{std::move(*masters)};
    auto const rewrapped =
        with_database(context, [&vault](Pool& pool, Instant deadline) -> Async<Result<crm::Rewrapped>> {
          auto session = pool.until(deadline);
          auto done = co_await vault.rewrap(session);
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

}  // namespace

void add_key_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  add_generate(app, context, exit_code);
  auto& group = *app.add_subcommand("secrets", "Credentials of tenants' integrations");
  group.require_subcommand(1);
  add_rotate(group, context, exit_code);
}

}  // namespace gateway
