#include "gateway/commands/seed.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/store/phone_numbers.h"
#include "crm/store/tenants.h"
#include "crm/store/voice_agents.h"

namespace gateway {
namespace {

struct Seeded {
  std::string tenant;
  std::string agent;
  std::string number;
};

crm::VoiceAgent demo_agent(base::TenantId const& tenant, std::string const& elevenlabs_agent) {
  crm::VoiceAgent agent;
  agent.id = base::AgentId{base::new_id("va")};
  agent.tenant = tenant;
  agent.name = "Front desk";
  agent.elevenlabs_agent_id = elevenlabs_agent;
  agent.record = true;
  agent.fallback = crm::FallbackKind::voicemail;
  return agent;
}

base::Async<base::Result<Seeded>> seed(crm::pg::Pool& pool, base::Instant deadline, std::string number,
                                       std::string agent_id) {
  auto session = pool.until(deadline);
  auto const numbers = co_await crm::list_numbers(session, std::nullopt);
  if (!numbers) co_return std::unexpected{numbers.error()};
  auto const known = std::ranges::find(*numbers, number, &crm::PhoneNumber::e164);
  if (known != numbers->end()) co_return Seeded{known->tenant.text(), known->agent.text(), number};

  auto const work = [&number, &agent_id](crm::pg::Transaction& transaction) -> base::Async<base::Result<Seeded>> {
    crm::Tenant tenant;
    tenant.id = base::TenantId{base::new_id("ten")};
    tenant.name = "Demo Dental";
    tenant.timezone = "America/New_York";
    tenant.max_concurrent_calls = 100000;
    auto const agent = demo_agent(tenant.id, agent_id);
    crm::PhoneNumber const phone{crm::NumberId{base::new_id("num")}, tenant.id, number, agent.id};
    auto stored = co_await crm::insert_tenant(transaction, tenant);
    if (stored) stored = co_await crm::insert_agent(transaction, agent);
    if (stored) stored = co_await crm::insert_number(transaction, phone);
    if (!stored) co_return std::unexpected{stored.error()};
    co_return Seeded{tenant.id.text(), agent.id.text(), number};
  };
  auto seeded = co_await pool.transaction(work, deadline);
  co_return seeded;
}

}  // namespace

void add_seed_command(CLI::App& app, CommandContext const& context, int& exit_code) {
  auto* const command = app.add_subcommand("seed", "Make a demo business with an agent and a number, once");
  auto const number = std::make_shared<std::string>("+15550001111");
  auto const agent = std::make_shared<std::string>("agent_receptionist");
  auto const json = std::make_shared<bool>(false);
  command->add_option("--number", *number, "The business's number")->check(check_e164)->capture_default_str();
  command->add_option("--elevenlabs-agent-id", *agent, "The agent that answers")->capture_default_str();
  command->add_flag("--json", *json, "Print JSON");
  on_command(*command, context, exit_code, [&context, number, agent, json] {
    auto const seeded = with_database(
        context, [&](crm::pg::Pool& pool, base::Instant deadline) { return seed(pool, deadline, *number, *agent); });
    if (*json) {
      *context.out
          << nlohmann::json{{"tenant", seeded.tenant}, {"agent", seeded.agent}, {"number", seeded.number}}.dump()
          << '\n';
      return;
    }
    *context.out << "tenant " << seeded.tenant << "\nagent  " << seeded.agent << "\nnumber " << seeded.number << '\n';
  });
}

}  // namespace gateway
