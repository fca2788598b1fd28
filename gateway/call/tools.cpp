#include "gateway/call/tools.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "crm/model/phone_number.h"

namespace gateway {
namespace {

std::vector<std::string> allowed_numbers(crm::VoiceAgent const& agent) {
  auto numbers = agent.transfer_numbers;
  if (agent.fallback_number) numbers.push_back(*agent.fallback_number);
  return numbers;
}

std::string text_of(nlohmann::json const& json, char const* key) {
  auto const found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// "+1 (415) 555-0100" and "tel:+1…" as models like to write them.
std::string without_decoration(std::string const& number) {
  std::string plain;
  for (char const c : number) {
    if ((c >= '0' && c <= '9') || (c == '+' && plain.empty())) plain += c;
  }
  return plain;
}

}  // namespace

base::Result<std::string> transfer_target(std::string_view parameters_json, crm::VoiceAgent const& agent) {
  auto const json = nlohmann::json::parse(parameters_json, nullptr, false);
  if (!json.is_object()) return base::fail(base::Fault::protocol, "transfer parameters are not an object");
  auto const allowed = allowed_numbers(agent);
  auto wanted = text_of(json, "transfer_number");
  if (wanted.empty()) wanted = text_of(json, "number");
  if (wanted.empty()) {
    if (allowed.size() == 1) return allowed.front();
    return base::fail(base::Fault::protocol, "no transfer_number given");
  }
  auto number = without_decoration(wanted);
  if (!crm::is_e164(number)) return base::fail(base::Fault::protocol, "transfer_number is not a phone number");
  if (std::ranges::find(allowed, number) == allowed.end())
    return base::fail(base::Fault::refused, "transfer_number is not among the agent's transfer numbers");
  return number;
}

std::string tool_success(std::string_view message) {
  return nlohmann::json{{"ok", true}, {"message", message}}.dump();
}

std::string tool_failure(std::string_view reason, std::string_view hint) {
  return nlohmann::json{{"ok", false}, {"reason", reason}, {"say", hint}}.dump();
}

std::string_view transfer_failure_reason(base::Fault fault) {
  switch (fault) {
    case base::Fault::protocol:
      return "invalid_number";
    case base::Fault::refused:
      return "number_not_allowed";
    case base::Fault::not_found:
    case base::Fault::conflict:
      return "call_not_in_progress";
    case base::Fault::timed_out:
      return "carrier_timed_out";
    case base::Fault::cancelled:
    case base::Fault::unavailable:
    case base::Fault::too_large:
      return "carrier_unavailable";
  }
  return "carrier_unavailable";
}

}  // namespace gateway
