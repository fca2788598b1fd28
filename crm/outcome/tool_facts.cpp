#include "crm/outcome/tool_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crm/pg/storable_text.h"
#include "gateway/base/text.h"

namespace crm {
namespace {

using nlohmann::json;

constexpr std::size_t longest_word = 200;
constexpr std::size_t longest_email = 254;  // RFC 5321, 4.5.3.1.3, less the brackets
constexpr std::size_t longest_message = 4000;

std::string text_of(json const& object, char const* key, std::size_t longest) {
  auto const found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return pg::storable_text(base::clipped(base::trimmed(found->get_ref<std::string const&>()), longest));
}

/// On one line.
std::string word_of(json const& object, char const* key) {
  auto text = text_of(object, key, longest_word);
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

std::string email_of(json const& object) {
  auto text = text_of(object, "email", longest_email + 1);
  auto const at = text.find('@');
  bool const plausible = text.size() <= longest_email && at != std::string::npos && at > 0 && at + 1 < text.size() &&
                         text.find('@', at + 1) == std::string::npos &&
                         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!plausible) return {};
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

ToolFact read(CallToolCall const& call, std::size_t ordinal) {
  auto const asked = json::parse(call.parameters_json, nullptr, /*allow_exceptions=*/false);
  auto const told = json::parse(call.result_json, nullptr, /*allow_exceptions=*/false);
  ToolFact fact{.ordinal = ordinal, .tool = call.name, .tool_call_id = pg::storable_text(call.tool_call_id)};
  if (told.is_object()) {
    auto const ok = told.find("ok");
    fact.ok = !call.is_error && ok != told.end() && ok->is_boolean() && ok->get<bool>();
    fact.unavailable = !fact.ok && word_of(told, "reason") == "unavailable";
    fact.appointment = word_of(told, "appointment_id");
  }
  if (!asked.is_object()) return fact;
  if (fact.appointment.empty()) fact.appointment = word_of(asked, "appointment_id");
  fact.name = word_of(asked, "name");
  fact.email = email_of(asked);
  fact.phone = word_of(asked, "phone");
  fact.message = text_of(asked, "message", longest_message);
  fact.service = word_of(asked, "service");
  fact.start = word_of(asked, "start");
  if (fact.start.empty()) fact.start = word_of(asked, "new_start");
  auto const urgent = asked.find("urgent");
  fact.urgent = urgent != asked.end() && urgent->is_boolean() && urgent->get<bool>();
  fact.notes = text_of(asked, "notes", longest_message);
  return fact;
}

}  // namespace

std::vector<ToolFact> read_tool_calls(std::vector<CallToolCall> const& calls) {
  std::vector<ToolFact> facts;
  for (auto const& call : calls) facts.push_back(read(call, facts.size()));
  return facts;
}

std::string const& person_of(CallRecord const& call) {
  return call.direction == CallDirection::inbound ? call.from : call.to;
}

std::string const& our_number_of(CallRecord const& call) {
  return call.direction == CallDirection::inbound ? call.to : call.from;
}

}  // namespace crm
