#include "crm/store/voice_agents.h"

#include <nlohmann/json.hpp>

namespace crm {
namespace {

using base::Async;
using base::Result;

constexpr pg::Query insert{
    "insert_agent",
    "insert into voice_agents (id, tenant_id, name, elevenlabs_agent_id, status, start_pause_seconds, record, "
    "fallback_kind, fallback_number, first_message, language, max_duration_seconds, dynamic_variables, "
    "transfer_numbers) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
constexpr pg::Query update{
    "update_agent",
    "update voice_agents set name = $3, elevenlabs_agent_id = $4, status = $5, start_pause_seconds = $6, record = $7, "
    "fallback_kind = $8, fallback_number = $9, first_message = $10, language = $11, max_duration_seconds = $12, "
    "dynamic_variables = $13, transfer_numbers = $14 where id = $1 and tenant_id = $2"};
constexpr pg::Query by_id{"find_agent", "select * from voice_agents where id = $1"};
constexpr pg::Query all{"list_agents",
                        "select * from voice_agents where $1::text is null or tenant_id = $1 order by tenant_id, id"};

std::string encode(std::map<std::string, std::string> const& variables) {
  return nlohmann::json(variables).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::map<std::string, std::string> decode(std::string const& text) {
  std::map<std::string, std::string> variables;
  auto const json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return variables;
  for (auto const& [key, value] : json.items()) {
    variables[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return variables;
}

std::vector<std::string> decode_numbers(std::string const& text) {
  std::vector<std::string> numbers;
  auto const json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return numbers;
  for (auto const& number : json) {
    if (number.is_string()) numbers.push_back(number.get<std::string>());
  }
  return numbers;
}

pg::Params params_of(VoiceAgent const& agent) {
  return pg::Params{agent.id,
                    agent.tenant,
                    agent.name,
                    agent.elevenlabs_agent_id,
                    agent.active ? "active" : "inactive",
                    agent.start_pause.count(),
                    agent.record,
                    to_string(agent.fallback),
                    agent.fallback_number,
                    agent.first_message,
                    agent.language,
                    agent.max_duration.count(),
                    encode(agent.dynamic_variables),
                    nlohmann::json(agent.transfer_numbers).dump()};
}

}  // namespace

VoiceAgent to_voice_agent(pg::Row const& row) {
  return VoiceAgent{.id = base::AgentId{row.text("id")},
                    .tenant = base::TenantId{row.text("tenant_id")},
                    .name = row.text("name"),
                    .elevenlabs_agent_id = row.text("elevenlabs_agent_id"),
                    .active = row.text("status") == "active",
                    .start_pause = std::chrono::seconds{row.integer("start_pause_seconds")},
                    .record = row.boolean("record"),
                    .fallback = fallback_kind_from(row.text("fallback_kind")).value_or(FallbackKind::apology),
                    .fallback_number = row.text_if_any("fallback_number"),
                    .first_message = row.text_if_any("first_message"),
                    .language = row.text_if_any("language"),
                    .max_duration = std::chrono::seconds{row.integer("max_duration_seconds")},
                    .transfer_numbers = decode_numbers(row.text("transfer_numbers")),
                    .dynamic_variables = decode(row.text("dynamic_variables"))};
}

Async<Result<>> insert_agent(pg::Session& session, VoiceAgent agent) {
  auto const rows = co_await session.run(insert, params_of(agent));
  if (!rows) co_return std::unexpected{rows.error()};
  co_return Result<>{};
}

Async<Result<>> update_agent(pg::Session& session, VoiceAgent agent) {
  auto const rows = co_await session.run(update, params_of(agent));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->affected() == 0) co_return base::fail(base::Fault::not_found, "no such agent");
  co_return Result<>{};
}

Async<Result<std::optional<VoiceAgent>>> find_agent(pg::Session& session, base::AgentId id) {
  pg::Params params{id};
  auto const rows = co_await session.run(by_id, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::optional<VoiceAgent> agent;
  if (!rows->empty()) agent = to_voice_agent((*rows)[0]);
  co_return agent;
}

Async<Result<std::vector<VoiceAgent>>> list_agents(pg::Session& session, std::optional<base::TenantId> tenant) {
  pg::Params params{tenant};
  auto const rows = co_await session.run(all, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  std::vector<VoiceAgent> agents;
  for (std::size_t i = 0; i < rows->size(); ++i) agents.push_back(to_voice_agent((*rows)[i]));
  co_return agents;
}

}  // namespace crm
