#include "gateway/commands/services.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/setup/service_setup.h"
#include "crm/store/services.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::Service;
using crm::ServiceSetup;
using crm::pg::Pool;

void declare(CLI::App& command, crm::ServiceChanges& changes) {
  command.add_option("--calendar", changes.calendar,
                     "Whose time it takes, a practitioner or a room; what is in one calendar never overlaps");
}

/// Before a database is opened for it.
void check(crm::ServiceChanges const& changes) {
  Service scratch;
  auto faults = crm::apply(changes, scratch);
  if (!faults.empty()) throw WrongUsage{std::move(faults)};
}

/// Prints the id, or throws what was wrong; `missing` is what is not there on Fault::not_found.
void finish(CommandContext const& context, bool json, Result<ServiceSetup> const& setup, std::string const& missing) {
  if (!setup && setup.error().fault == base::Fault::conflict)
    throw CommandFailure{"the tenant has a service of that name already"};
  if (!setup && setup.error().fault == base::Fault::not_found)
    throw CommandFailure{fmt::format("there is no {}", missing)};
  if (!setup) throw CommandFailure{sentence_for(setup.error())};
  if (!setup->faults.empty()) throw WrongUsage{setup->faults};
  print_id(context, json, setup->service.id.text());
}

void declare_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string tenant;
    crm::ServiceChanges changes;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("add", "Add something that can be booked; prints its id");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_option("--name", given->changes.name, "As callers say it")->required();
  command.add_option("--minutes", given->changes.minutes, "How long it takes, 5 to 480")->required();
  declare(command, given->changes);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    check(given->changes);
    auto const setup = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<ServiceSetup>> {
      auto const work = [&](crm::pg::Transaction& transaction) {
        return crm::add_service(transaction, base::TenantId{given->tenant}, given->changes, command_actor());
      };
      auto done = co_await pool.transaction(work, deadline);
      co_return done;
    });
    finish(context, given->json, setup, "tenant " + given->tenant);
  });
}

void declare_update(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    crm::ServiceChanges changes;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("update", "Change what is given about a service; prints its id");
  command.add_option("service", given->id, "Service id")->required();
  command.add_option("--name", given->changes.name, "As callers say it");
  command.add_option("--minutes", given->changes.minutes, "How long it takes, 5 to 480");
  command.add_option("--status", given->changes.status, "active or inactive");
  declare(command, given->changes);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    if (given->changes.empty()) throw WrongUsage{{"nothing to change is given; see services update --help"}};
    check(given->changes);
    auto const setup = try_with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<ServiceSetup>> {
      auto const work = [&](crm::pg::Transaction& transaction) {
        return crm::change_service(transaction, crm::ServiceId{given->id}, given->changes, command_actor());
      };
      auto done = co_await pool.transaction(work, deadline);
      co_return done;
    });
    finish(context, given->json, setup, "service " + given->id);
  });
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List what can be booked");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const services =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<Service>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_services(session, tenant);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "NAME", "MINUTES", "CALENDAR", "STATUS", "TENANT"}};
    for (auto const& service : services) {
      auto const status = service.active ? "active" : "inactive";
      list.push_back({{"id", service.id.text()},
                      {"tenant_id", service.tenant.text()},
                      {"name", service.name},
                      {"minutes", service.minutes},
                      {"calendar", service.calendar},
                      {"status", status}});
      listing.add({service.id.text(), printable(service.name), std::to_string(service.minutes),
                   printable(service.calendar), status, service.tenant.text()});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

}  // namespace

void add_service_commands(CLI::App& services, CommandContext const& context, int& exit_code) {
  declare_add(services, context, exit_code);
  declare_update(services, context, exit_code);
  declare_list(services, context, exit_code);
}

}  // namespace gateway
