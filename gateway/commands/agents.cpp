#include "gateway/commands/agents.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "crm/store/audit.h"
#include "crm/store/phone_numbers.h"
#include "crm/store/voice_agents.h"
#include "gateway/call/tool_table.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using base::Async;
using base::Instant;
using base::Result;
using crm::pg::Pool;

/// What may be said about an agent on the command line; only what was given changes it.
struct AgentFlags {
  std::optional<std::string> name, elevenlabs_agent_id, status, fallback, first_message, language;
  std::optional<bool> record;
  std::optional<int> start_pause, max_duration;
  std::vector<std::string> variables, transfer_numbers;
};

/// "forward:+15550001111", "voicemail" or "apology".
std::string check_fallback(std::string const& text) {
  constexpr std::string_view forward = "forward:";
  if (text == "voicemail" || text == "apology") return {};
  if (text.starts_with(forward)) return check_e164(text.substr(forward.size()));
  return fmt::format("'{}' is not forward:NUMBER, voicemail or apology", text);
}

std::string check_agent_id(std::string const& text) {
  auto const fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
  if (!text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits)) return {};
  return fmt::format("'{}' is not an ElevenLabs agent id", text);
}

std::string check_variable(std::string const& text) {
  auto const equals = text.find('=');
  return equals != std::string::npos && equals > 0 ? "" : fmt::format("'{}' is not NAME=VALUE", text);
}

void declare(CLI::App& command, AgentFlags& flags) {
  command
      .add_option("--fallback", flags.fallback,
                  "When the agent cannot be reached: forward:+15550001111, voicemail or apology (default)")
      ->check(check_fallback);
  command.add_option("--start-pause", flags.start_pause, "Seconds of silence before the agent speaks, 0 to 10")
      ->check(CLI::Range(0, 10));
  add_switch(command, "--record,!--no-record", flags.record, "Record the calls");
  command.add_option("--first-message", flags.first_message, "What the agent says first, instead of its own greeting");
  command.add_option("--language", flags.language, "Language of the agent, instead of its own: en, de, …");
  command.add_option("--max-duration", flags.max_duration, "Longest call in seconds, 10 to 86400")
      ->check(CLI::Range(10, 86400));
  command
      .add_option("--transfer-number", flags.transfer_numbers,
                  "Who the agent may hand a caller to; may be repeated, replaces the earlier ones")
      ->check(check_e164);
  command.add_option("--variable", flags.variables, "NAME=VALUE for the agent's dynamic variables; may be repeated")
      ->check(check_variable);
}

void apply(AgentFlags const& flags, crm::VoiceAgent& agent) {
  if (flags.name) agent.name = *flags.name;
  if (flags.elevenlabs_agent_id) agent.elevenlabs_agent_id = *flags.elevenlabs_agent_id;
  if (flags.status) agent.active = *flags.status == "active";
  if (flags.record) agent.record = *flags.record;
  if (flags.start_pause) agent.start_pause = std::chrono::seconds{*flags.start_pause};
  if (flags.max_duration) agent.max_duration = std::chrono::seconds{*flags.max_duration};
  if (flags.first_message) agent.first_message = flags.first_message;
  if (flags.language) agent.language = flags.language;
  if (flags.fallback) {
    auto const colon = flags.fallback->find(':');
    agent.fallback = crm::fallback_kind_from(flags.fallback->substr(0, colon)).value_or(crm::FallbackKind::apology);
    agent.fallback_number.reset();
    if (colon != std::string::npos) agent.fallback_number = flags.fallback->substr(colon + 1);
  }
  if (!flags.transfer_numbers.empty()) agent.transfer_numbers = flags.transfer_numbers;
  for (auto const& variable : flags.variables) {
    auto const equals = variable.find('=');
    agent.dynamic_variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
}

/// What the flags speak of, in the words of `agents list --json`.
std::vector<std::string> named_in(AgentFlags const& flags) {
  std::vector<std::string> names;
  auto const note = [&](bool given, char const* name) {
    if (given) names.emplace_back(name);
  };
  note(flags.name.has_value(), "name");
  note(flags.elevenlabs_agent_id.has_value(), "elevenlabs_agent_id");
  note(flags.status.has_value(), "status");
  note(flags.fallback.has_value(), "fallback");
  note(flags.first_message.has_value(), "first_message");
  note(flags.language.has_value(), "language");
  note(flags.record.has_value(), "record");
  note(flags.start_pause.has_value(), "start_pause_seconds");
  note(flags.max_duration.has_value(), "max_duration_seconds");
  note(!flags.transfer_numbers.empty(), "transfer_numbers");
  note(!flags.variables.empty(), "dynamic_variables");
  return names;
}

/// The agent and its numbers come together or not at all.
Async<Result<>> add_agent(Pool& pool, crm::VoiceAgent const& agent, std::vector<std::string> const& numbers,
                          Instant deadline) {
  auto const work = [&](crm::pg::Transaction& transaction) -> Async<Result<>> {
    auto const added = co_await crm::insert_agent(transaction, agent);
    if (!added) co_return std::unexpected{added.error()};
    for (auto const& e164 : numbers) {
      crm::PhoneNumber const number{crm::NumberId{base::new_id("num")}, agent.tenant, e164, agent.id};
      auto const assigned = co_await crm::insert_number(transaction, number);
      if (!assigned) co_return std::unexpected{assigned.error()};
    }
    co_return Result<>{};
  };
  crm::AuditFact fact{.tenant = agent.tenant,
                      .actor = command_actor(),
                      .action = "agent.added",
                      .subject = agent.id.text(),
                      .detail_json = nlohmann::json{{"numbers", numbers.size()}}.dump()};
  auto const done = co_await crm::audited(pool, std::move(fact), work, deadline);
  co_return done;
}

void declare_add(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string tenant;
    std::vector<std::string> numbers;
    AgentFlags flags;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("add", "Add an agent; prints its id");
  command.add_option("--tenant", given->tenant, "Tenant id")->required();
  command.add_option("--name", given->flags.name, "What the agent is called")->required();
  command.add_option("--elevenlabs-agent-id", given->flags.elevenlabs_agent_id, "The agent's id at ElevenLabs")
      ->required()
      ->check(check_agent_id);
  command.add_option("--number", given->numbers, "Phone number it answers; may be repeated")->check(check_e164);
  declare(command, given->flags);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    crm::VoiceAgent agent;
    agent.id = base::AgentId{base::new_id("va")};
    agent.tenant = base::TenantId{given->tenant};
    apply(given->flags, agent);
    if (agent.name.empty()) throw CommandFailure{"an agent needs a name"};
    auto const added = try_with_database(
        context, [&](Pool& pool, Instant deadline) { return add_agent(pool, agent, given->numbers, deadline); });
    if (!added && added.error().fault == base::Fault::conflict) {
      throw CommandFailure{fmt::format("one of these numbers is in use already: {}", fmt::join(given->numbers, ", "))};
    }
    if (!added && added.error().fault == base::Fault::not_found) {
      throw CommandFailure{fmt::format("there is no tenant {}", given->tenant)};
    }
    if (!added) throw CommandFailure{sentence_for(added.error())};
    print_id(context, given->json, agent.id.text());
  });
}

/// False when there is no such agent.
Async<Result<bool>> update_agent(Pool& pool, base::AgentId id, AgentFlags const& flags, Instant deadline) {
  auto const work = [&](crm::pg::Transaction& transaction) -> Async<Result<bool>> {
    auto const found = co_await crm::find_agent(transaction, id);
    if (!found) co_return std::unexpected{found.error()};
    if (!*found) co_return false;
    auto agent = **found;
    apply(flags, agent);
    auto const updated = co_await crm::update_agent(transaction, agent);
    if (!updated) co_return std::unexpected{updated.error()};
    crm::AuditFact fact{.tenant = agent.tenant,
                        .actor = command_actor(),
                        .action = "agent.updated",
                        .subject = agent.id.text(),
                        .detail_json = nlohmann::json{{"changed", named_in(flags)}}.dump()};
    auto const noted = co_await crm::append_audit(transaction, std::move(fact));
    if (!noted) co_return std::unexpected{noted.error()};
    co_return true;
  };
  auto const done = co_await pool.transaction(work, deadline);
  co_return done;
}

void declare_update(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::string id;
    AgentFlags flags;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("update", "Change what is given about an agent; prints its id");
  command.add_option("agent", given->id, "Agent id")->required();
  command.add_option("--name", given->flags.name, "What the agent is called");
  command.add_option("--elevenlabs-agent-id", given->flags.elevenlabs_agent_id, "The agent's id at ElevenLabs")
      ->check(check_agent_id);
  command.add_option("--status", given->flags.status, "active or inactive")
      ->check(CLI::IsMember({"active", "inactive"}));
  declare(command, given->flags);
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    bool const exists = with_database(context, [&](Pool& pool, Instant deadline) {
      return update_agent(pool, base::AgentId{given->id}, given->flags, deadline);
    });
    if (!exists) throw CommandFailure{fmt::format("there is no agent {}", given->id)};
    print_id(context, given->json, given->id);
  });
}

nlohmann::json to_json(crm::VoiceAgent const& agent) {
  auto const optional = [](std::optional<std::string> const& text) {
    return text ? nlohmann::json(*text) : nlohmann::json(nullptr);
  };
  return {{"id", agent.id.text()},
          {"tenant_id", agent.tenant.text()},
          {"name", agent.name},
          {"elevenlabs_agent_id", agent.elevenlabs_agent_id},
          {"status", agent.active ? "active" : "inactive"},
          {"start_pause_seconds", agent.start_pause.count()},
          {"record", agent.record},
          {"fallback_kind", crm::to_string(agent.fallback)},
          {"fallback_number", optional(agent.fallback_number)},
          {"first_message", optional(agent.first_message)},
          {"language", optional(agent.language)},
          {"max_duration_seconds", agent.max_duration.count()},
          {"transfer_numbers", agent.transfer_numbers},
          {"dynamic_variables", agent.dynamic_variables}};
}

void declare_list(CLI::App& group, CommandContext const& context, int& exit_code) {
  struct Given {
    std::optional<std::string> tenant;
    bool json = false;
  };
  auto const given = std::make_shared<Given>();
  auto& command = *group.add_subcommand("list", "List the agents");
  command.add_option("--tenant", given->tenant, "Only of this tenant");
  command.add_flag("--json", given->json, "Machine-readable output");
  on_command(command, context, exit_code, [context, given] {
    auto const agents =
        with_database(context, [&](Pool& pool, Instant deadline) -> Async<Result<std::vector<crm::VoiceAgent>>> {
          auto const tenant = chosen_tenant(given->tenant);
          auto session = pool.until(deadline);
          auto found = co_await crm::list_agents(session, tenant);
          co_return found;
        });
    auto list = nlohmann::json::array();
    Listing listing{{"ID", "NAME", "ELEVENLABS AGENT", "STATUS", "FALLBACK", "TENANT"}};
    for (auto const& agent : agents) {
      list.push_back(to_json(agent));
      auto fallback = std::string{crm::to_string(agent.fallback)};
      if (agent.fallback_number) fallback += ":" + *agent.fallback_number;
      listing.add({agent.id.text(), printable(agent.name), agent.elevenlabs_agent_id,
                   agent.active ? "active" : "inactive", fallback, agent.tenant.text()});
    }
    print_list(context, given->json, list.dump(2), listing);
  });
}

void declare_tools(CLI::App& group, CommandContext const& context, int& exit_code) {
  auto& command = *group.add_subcommand("tools", "Print the client tools that an ElevenLabs agent may be given");
  on_command(command, context, exit_code, [context] { *context.out << tool_definitions_json(); });
}

}  // namespace

void add_agent_commands(CLI::App& agents, CommandContext const& context, int& exit_code) {
  declare_add(agents, context, exit_code);
  declare_update(agents, context, exit_code);
  declare_list(agents, context, exit_code);
  declare_tools(agents, context, exit_code);
}

}  // namespace gateway
