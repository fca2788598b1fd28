#include "gateway/commands/tenants.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/setup/tenant_setup.h"
#include "crm/store/business_hours_json.h"
#include "crm/store/tenants.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::Tenant;
using crm::pg::Pool;

void declare(CLI::App& command, crm::TenantChanges& changes) {
  command.add_option("--timezone", changes.timezone, "IANA time zone, America/New_York; UTC for a new one");
  command.add_option("--industry", changes.industry, "What the business does; \"\" for nothing");
  command.add_option("--max-concurrent-calls", changes.max_concurrent_calls, "Calls at the same time, 1 to 100000");
  command
      .add_option("--hours", changes.opening_hours,
                  "When it is open: mon=09:00-12:00,13:00-17:00 or sat=closed; may be repeated, replaces the days it "
                  "names. A new one: Monday to Friday from nine to five")
      ->allow_extra_args(false);
  command.add_option("--slot-minutes", changes.slot_minutes, "Length of an appointment, 5 to 480");
  command.add_option("--lead-minutes", changes.lead_minutes, "Nobody books sooner than that, 0 to 43200");
  command.add_option("--booking-days", changes.booking_days, "Nobody books further ahead, 1 to 366");
  command.add_option("--calling-hours", changes.calling_hours,
                     "When people may be written to, by their own clock: 08:00-21:00");
  add_switch(command, "--confirm-by-sms,!--no-confirm-by-sms", changes.confirm_by_sms,
             "Confirm appointments by text message");
}

/// Prints the id, or throws what was wrong.
void finish(CommandContext const& context, bool json, crm::TenantSetup const& setup) {
  if (!setup.faults.empty()) throw WrongUsage{setup.faults};
  print_id(context, json, setup.tenant.id.text());
}

/// Before a database is opened for it.
void check(crm::TenantChanges const& changes) {
  Tenant scratch;
  auto faults = crm::apply(changes, scratch);
  if (!faults.empty()) throw WrongUsage{std::move(faults)};
}

void declare_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    crm::TenantChanges changes;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("add", "Add a business; prints its id");
  command.add_option("--name", given->changes.name, "What the business is called")->required();
  declare(command, given->changes);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    check(given->changes);
    auto const setup = with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<crm::TenantSetup>> {
      auto const work = [&](crm::pg::Transaction& transaction) {
        return crm::add_tenant(transaction, given->changes, command_actor());
      };
      auto done = co_await pool.transaction(work, deadline);
      co_return done;
    });
    finish(context, given->json, setup);
  });
}

void declare_update(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    crm::TenantChanges changes;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("update", "Change what is given about a business; prints its id");
  command.add_option("tenant", given->id, "Tenant id")->required();
  command.add_option("--name", given->changes.name, "What the business is called");
  command.add_option("--status", given->changes.status, "active or suspended");
  declare(command, given->changes);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    if (given->changes.empty()) throw WrongUsage{{"nothing to change is given; see tenants update --help"}};
    check(given->changes);
    auto const setup = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<crm::TenantSetup>> {
      auto const work = [&](crm::pg::Transaction& transaction) {
        return crm::change_tenant(transaction, base::TenantId{given->id}, given->changes, command_actor());
      };
      auto done = co_await pool.transaction(work, deadline);
      co_return done;
    });
    if (!setup && setup.error().fault == base::Fault::not_found)
      throw CommandFailure{fmt::format("there is no tenant {}", given->id)};
    if (!setup) throw CommandFailure{sentence_for(setup.error())};
    finish(context, given->json, *setup);
  });
}

nlohmann::json to_json(Tenant const& tenant) {
  return {{"id", tenant.id.text()},
          {"name", tenant.name},
          {"timezone", tenant.timezone},
          {"industry", tenant.industry ? nlohmann::json(*tenant.industry) : nlohmann::json(nullptr)},
          {"status", tenant.active ? "active" : "suspended"},
          {"max_concurrent_calls", tenant.max_concurrent_calls},
          {"opening_hours", nlohmann::json::parse(crm::opening_hours_json(tenant.opening))},
          {"slot_minutes", tenant.slot_minutes},
          {"lead_minutes", tenant.lead_minutes},
          {"booking_days", tenant.booking_days},
          {"calling_hours", nlohmann::json::parse(crm::calling_hours_json(tenant.calling_hours))},
          {"confirm_by_sms", tenant.confirm_by_sms}};
}

void print(std::ostream& out, Tenant const& tenant) {
  auto const line = [&](std::string_view name, std::string const& value) {
    out << fmt::format("{:<15}{}\n", name, printable(value));
  };
  line("id", tenant.id.text());
  line("name", tenant.name);
  if (tenant.industry) line("industry", *tenant.industry);
  line("status", tenant.active ? "active" : "suspended");
  line("timezone", tenant.timezone);
  for (std::size_t day = 0; day < crm::day_names.size(); ++day)
    line(day == 0 ? "open" : "",
         fmt::format("{} {}", crm::day_names.at(day), crm::hours_text(tenant.opening.days.at(day))));
  line("appointments", fmt::format("{} minutes each, from {} minutes to {} days ahead", tenant.slot_minutes,
                                   tenant.lead_minutes, tenant.booking_days));
  line("calling hours", crm::hours_text(tenant.calling_hours));
  line("confirm by SMS", tenant.confirm_by_sms ? "yes" : "no");
  line("calls at once", std::to_string(tenant.max_concurrent_calls));
}

void declare_show(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("show", "Show one business");
  command.add_option("tenant", given->id, "Tenant id")->required();
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const tenant =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::optional<Tenant>>> {
          auto session = pool.until(deadline);
          auto found = co_await crm::find_tenant(session, base::TenantId{given->id});
          co_return found;
        });
    if (!tenant) throw CommandFailure{fmt::format("there is no tenant {}", given->id)};
    if (given->json)
      *context.out << to_json(*tenant).dump(2) << '\n';
    else
      print(*context.out, *tenant);
  });
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  auto const json = std::make_shared<bool>(false);
  auto& command = *group.add_subcommand("list", "List the businesses");
  command.add_flag("--json", *json, "Machine-readable output");
  on_command(command, context, exit_code, [context, json] {
    auto const tenants = with_database(context, [](Pool& pool, Instant deadline) -> Async<Result<std::vector<Tenant>>> {
      auto session = pool.until(deadline);
      auto found = co_await crm::list_tenants(session);
      co_return found;
    });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "NAME", "TIMEZONE", "STATUS", "MAX CALLS"}};
    for (auto const& tenant : tenants) {
      list.push_back(to_json(tenant));
      listing.add({tenant.id.text(), printable(tenant.name), tenant.timezone, tenant.active ? "active" : "suspended",
                   std::to_string(tenant.max_concurrent_calls)});
    }
    print_list(context, *json, list.dump(2), listing);
  });
}

}  // namespace

void add_tenant_commands(CLI::App& tenants, CommandContext const& context, int& exit_code) {
  declare_add(tenants, context, exit_code);
  declare_update(tenants, context, exit_code);
  declare_show(tenants, context, exit_code);
  declare_list(tenants, context, exit_code);
}

}  // namespace gateway
