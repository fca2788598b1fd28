#include "loadtest/chaos/ledgers.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sim::chaos {
namespace {

using Json = nlohmann::json;

constexpr char const* everything = R"sql(
select json_build_object(
  'calls', (select coalesce(json_agg(json_build_object(
      'sid', c.call_sid, 'id', c.id, 'status', c.status, 'terminal', c.status not in ('ringing', 'in-progress'),
      'outcomes', (select count(*) from call_outcomes o where o.tenant_id = c.tenant_id and o.call_id = c.id),
      'told', (select count(*) from outbox b where b.tenant_id = c.tenant_id and b.call_id = c.id
                 and b.target = 'integration' and b.event = 'call.ended'))), '[]') from calls c),
  'appointments', (select coalesce(json_agg(json_build_object(
      'id', id, 'calendar', tenant_id || ' ' || calendar,
      'starts', (extract(epoch from starts_at) * 1000)::bigint, 'ends', (extract(epoch from ends_at) * 1000)::bigint,
      'stands', status in ('unconfirmed', 'confirmed'))), '[]') from appointments),
  'outbox', (select coalesce(json_agg(json_build_object(
      'id', id, 'target', target, 'event', event, 'status', status)), '[]') from outbox),
  'messages', (select coalesce(json_agg(json_build_object(
      'id', id, 'sid', coalesce(provider_sid, ''), 'subject', to_number || ' ' || body,
      'appointment', coalesce(appointment_id, ''))), '[]')
      from messages where direction = 'outbound')))sql";

Found found_in(Json const& json) {
  Found found;
  for (auto const& row : json.at("calls"))
    found.calls.push_back(
        {row.at("sid"), row.at("status"), row.at("terminal"), row.at("outcomes"), row.at("told"), row.at("id")});
  for (auto const& row : json.at("appointments"))
    found.appointments.push_back(
        {row.at("id"), row.at("calendar"), row.at("starts"), row.at("ends"), row.at("stands")});
  for (auto const& row : json.at("outbox"))
    found.outbox.push_back({row.at("id"), row.at("target"), row.at("event"), row.at("status")});
  for (auto const& row : json.at("messages"))
    found.messages.push_back({row.at("id"), row.at("sid"), row.at("subject"), row.at("appointment")});
  return found;
}

}  // namespace

std::optional<Found> read_database(Gateway const& gateway) {
  auto const text = gateway.query(everything);
  if (!text) return std::nullopt;
  auto const json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return found_in(json);
}

std::int64_t count_journal(Gateway const& gateway) {
  auto const json = Json::parse(gateway.command({"journal", "list", "--json"}), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("waiting")) throw std::runtime_error{"the journal cannot be listed"};
  return static_cast<std::int64_t>(json["waiting"].size());
}

}  // namespace sim::chaos
