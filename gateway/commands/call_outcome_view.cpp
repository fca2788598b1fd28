#include "gateway/commands/call_outcome_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "gateway/base/time_source.h"
#include "gateway/commands/listing.h"

namespace gateway {
namespace {

using nlohmann::json;

json optional(std::optional<std::string> const& text) {
  return text ? json(*text) : json(nullptr);
}

json optional(std::optional<crm::Wall> const& when) {
  return when ? json(base::iso8601(*when)) : json(nullptr);
}

json parsed(std::optional<std::string> const& text) {
  return text ? json::parse(*text, nullptr, /*allow_exceptions=*/false) : json(nullptr);
}

json to_json(crm::StoredOutcome const& stored) {
  auto const& outcome = stored.outcome;
  return {{"category", to_string(outcome.category)},
          {"confidence", outcome.confidence},
          {"reason", outcome.reason},
          {"follow_up", outcome.follow_up},
          {"follow_up_reason", outcome.follow_up_reason},
          {"appointment_id", optional(outcome.appointment_id)},
          {"confirmation_number", optional(stored.confirmation_number)},
          {"summary", optional(stored.summary)},
          {"evaluation", parsed(stored.evaluation_json)},
          {"collected", parsed(stored.collected_json)},
          {"quarantine", parsed(stored.quarantine_json)},
          {"enriched_from", optional(stored.enriched_from)},
          {"enriched_at", optional(stored.enriched_at)},
          {"poll_ended", optional(stored.poll_ended)}};
}

json to_json(crm::ToTell const& each) {
  return {{"id", each.id},
          {"event", each.event},
          {"to", each.to},
          {"status", each.status},
          {"attempts", each.attempts},
          {"next_at", optional(each.next_at)},
          {"parked_reason", optional(each.parked_reason)},
          {"remote_id", optional(each.remote_id)}};
}

json to_json(crm::CallToolCall const& call) {
  return {{"tool_call_id", call.tool_call_id},
          {"name", call.name},
          {"parameters", parsed(call.parameters_json)},
          {"result", parsed(call.result_json)},
          {"is_error", call.is_error},
          {"started_ms", call.started_ms},
          {"took_ms", call.took_ms}};
}

/// "parked after 3: refused" or "waiting".
std::string state_of(crm::ToTell const& each) {
  auto state = each.status;
  if (each.attempts > 0) state += fmt::format(" after {}", each.attempts);
  if (each.parked_reason) state += ": " + *each.parked_reason;
  if (each.remote_id) state += " as " + *each.remote_id;
  return state;
}

}  // namespace

void print_outcome(std::ostream& out, crm::SettledCall const& settled,
                   std::vector<crm::CallToolCall> const& tool_calls) {
  auto const line = [&](char const* name, std::string const& text) {
    if (!text.empty()) out << fmt::format("{:<14}{}\n", name, printable(text));
  };
  if (settled.contact_match)
    line("contact", settled.contact ? fmt::format("{} ({})", settled.contact->text(), *settled.contact_match)
                                    : *settled.contact_match);
  if (settled.outcome) {
    auto const& stored = *settled.outcome;
    auto const& outcome = stored.outcome;
    line("outcome", fmt::format("{} ({:.0f} %)", to_string(outcome.category), 100 * outcome.confidence));
    line("because", outcome.reason);
    if (outcome.follow_up) line("follow up", outcome.follow_up_reason);
    line("appointment", outcome.appointment_id.value_or(""));
    line("confirm to", stored.confirmation_number.value_or(""));
    line("summary", stored.summary.value_or(""));
    if (!stored.enriched_at) line("no summary", stored.poll_ended.value_or(""));
  }
  if (!tool_calls.empty()) out << "\ntools\n";
  for (auto const& call : tool_calls) {
    out << fmt::format("  {:>7.1f} s  {}  {} -> {}  ({} ms)\n", static_cast<double>(call.started_ms) / 1000,
                       printable(call.name), printable(call.parameters_json), printable(call.result_json),
                       call.took_ms);
  }
  if (!settled.outbox.empty()) out << "\nto tell\n";
  for (auto const& each : settled.outbox) {
    out << fmt::format("  {}  {} -> {}  {}\n", each.id, printable(each.event), printable(each.to),
                       printable(state_of(each)));
  }
}

std::string outcome_json(crm::SettledCall const& settled, std::vector<crm::CallToolCall> const& tool_calls) {
  json object{{"contact_id", settled.contact ? json(settled.contact->text()) : json(nullptr)},
              {"contact_match", optional(settled.contact_match)},
              {"outcome", settled.outcome ? to_json(*settled.outcome) : json(nullptr)},
              {"tool_calls", json::array()},
              {"outbox", json::array()}};
  for (auto const& call : tool_calls) object["tool_calls"].push_back(to_json(call));
  for (auto const& each : settled.outbox) object["outbox"].push_back(to_json(each));
  return object.dump();
}

}  // namespace gateway
