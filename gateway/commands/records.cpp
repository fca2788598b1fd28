#include "gateway/commands/records.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/store/audit.h"
#include "crm/store/phone_numbers.h"
#include "crm/store/users.h"
#include "gateway/commands/agents.h"
#include "gateway/commands/calls.h"
#include "gateway/commands/listing.h"
#include "gateway/commands/services.h"
#include "gateway/commands/tenants.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::pg::Pool;

std::string check_email(std::string const& text) {
  auto const at = text.find('@');
  bool const plausible = at != std::string::npos && at > 0 && at + 1 < text.size() &&
                         text.find('@', at + 1) == std::string::npos && text.find(' ') == std::string::npos;
  return plausible ? "" : fmt::format("'{}' is not an e-mail address", text);
}

void add_numbers_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string tenant, agent, number;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("add", "Let an agent answer a phone number; prints the number's id");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_option("--agent", given->agent, "Agent id")->required();
  command.add_option("--number", given->number, "E.164, like +15550001111")->required()->check(check_e164);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    crm::PhoneNumber const number{crm::NumberId{base::new_id("num")}, base::TenantId{given->tenant}, given->number,
                                  base::AgentId{given->agent}};
    crm::AuditFact const fact{.tenant = number.tenant,
                              .actor = command_actor(),
                              .action = "number.added",
                              .subject = number.id.text(),
                              .detail_json = nlohmann::json{{"agent_id", number.agent.text()}}.dump()};
    auto const added = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<>> {
      auto const work = [&](crm::pg::Transaction& transaction) { return crm::insert_number(transaction, number); };
      auto const done = co_await crm::audited(pool, fact, work, deadline);
      co_return done;
    });
    if (!added && added.error().fault == base::Fault::conflict) {
      throw CommandFailure{fmt::format("the number {} is in use already", given->number)};
    }
    if (!added && added.error().fault == base::Fault::not_found) {
      throw CommandFailure{fmt::format("tenant {} has no agent {}", given->tenant, given->agent)};
    }
    if (!added) throw CommandFailure{sentence_for(added.error())};
    print_id(context, given->json, number.id.text());
  });
}

void add_numbers_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List the phone numbers");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const numbers =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<crm::PhoneNumber>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_numbers(session, tenant);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"NUMBER", "AGENT", "TENANT", "ID"}};
    for (auto const& number : numbers) {
      list.push_back({{"id", number.id.text()},
                      {"tenant_id", number.tenant.text()},
                      {"agent_id", number.agent.text()},
                      {"number", number.e164}});
      listing.add({number.e164, number.agent.text(), number.tenant.text(), number.id.text()});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

void add_users_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string tenant, email, role;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("add", "Add a person; prints the user's id");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_option("--email", given->email, "E-mail address")->required()->check(check_email);
  command.add_option("--role", given->role, "owner, admin, agent or read-only")
      ->required()
      ->check(CLI::IsMember({"owner", "admin", "agent", "read-only"}));
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    crm::User const user{crm::UserId{base::new_id("usr")}, base::TenantId{given->tenant}, given->email, given->role};
    crm::AuditFact const fact{.tenant = user.tenant,
                              .actor = command_actor(),
                              .action = "user.added",
                              .subject = user.id.text(),
                              .detail_json = nlohmann::json{{"role", user.role}}.dump()};
    auto const added = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<>> {
      auto const work = [&](crm::pg::Transaction& transaction) { return crm::insert_user(transaction, user); };
      auto const done = co_await crm::audited(pool, fact, work, deadline);
      co_return done;
    });
    if (!added && added.error().fault == base::Fault::conflict) {
      throw CommandFailure{fmt::format("there is a user {} already", given->email)};
    }
    if (!added && added.error().fault == base::Fault::not_found) {
      throw CommandFailure{fmt::format("there is no tenant {}", given->tenant)};
    }
    if (!added) throw CommandFailure{sentence_for(added.error())};
    print_id(context, given->json, user.id.text());
  });
}

void add_users_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List the people");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const users =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<crm::User>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_users(session, tenant);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "E-MAIL", "ROLE", "TENANT"}};
    for (auto const& user : users) {
      list.push_back(
          {{"id", user.id.text()}, {"tenant_id", user.tenant.text()}, {"email", user.email}, {"role", user.role}});
      listing.add({user.id.text(), printable(user.email), user.role, user.tenant.text()});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

void add_migrate(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto const json = std::make_shared<bool>(false);
  auto& command = *app.add_subcommand("migrate", "Bring the database's schema up to date");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code, [context, json] {
    auto const schema = context.open_database().schema;
    if (*json)
      *context.out << nlohmann::json{{"applied", schema.applied}, {"version", schema.version}}.dump() << '\n';
    else
      *context.out << fmt::format("{} applied, the schema is at version {}\n", schema.applied, schema.version);
  });
}

CLI::App& add_group(CLI::App& app, char const* name, char const* what) {
  auto& group = *app.add_subcommand(name, what);
  group.require_subcommand(1);
  return group;
}

}  // namespace

void add_record_commands(CLI::App& app, CommandContext const& context, int& exit_code) {
  add_tenant_commands(add_group(app, "tenants", "The businesses whose phones are answered"), context, exit_code);
  add_service_commands(add_group(app, "services", "What can be booked, and how long it takes"), context, exit_code);
  add_agent_commands(add_group(app, "agents", "The AI receptionists"), context, exit_code);
  auto& numbers = add_group(app, "numbers", "The phone numbers and who answers them");
  add_numbers_add(numbers, context, exit_code);
  add_numbers_list(numbers, context, exit_code);
  auto& users = add_group(app, "users", "The people who may sign in");
  add_users_add(users, context, exit_code);
  add_users_list(users, context, exit_code);
  add_call_commands(add_group(app, "calls", "The records of calls"), context, exit_code);
  add_migrate(app, context, exit_code);
}

}  // namespace gateway
