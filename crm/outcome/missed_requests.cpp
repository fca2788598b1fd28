#include "crm/outcome/missed_requests.h"

#include <algorithm>

namespace crm {
namespace {

std::string words_of(ToolFact const& fact, bool is_message) {
  auto words = is_message ? (fact.urgent ? "Urgent: " : "") + fact.message
                          : std::string{"Asked for an appointment that could not be booked."};
  auto const add = [&](char const* what, std::string const& value) {
    if (!value.empty()) words += "\n" + std::string{what} + ": " + value;
  };
  if (!is_message) add("When", fact.start);
  if (!is_message) add("Service", fact.service);
  add("Name", fact.name);
  add("Call back", fact.phone);
  if (!is_message) add("Notes", fact.notes);
  return words;
}

}  // namespace

std::vector<MissedRequest> missed_requests(std::vector<ToolFact> const& tools, bool booked) {
  std::vector<MissedRequest> missed;
  for (auto const& fact : tools) {
    bool const is_message = fact.tool == "take_message" && !fact.message.empty();
    bool const is_wish = !booked && (fact.tool == "book_appointment" || fact.tool == "reschedule_appointment");
    if (!fact.unavailable || (!is_message && !is_wish)) continue;
    bool const made_good = std::ranges::any_of(tools, [&](ToolFact const& later) {
      return later.ordinal > fact.ordinal && later.ok && later.tool == fact.tool;
    });
    if (made_good) continue;
    missed.push_back({fact.ordinal, fact.tool_call_id, is_message, fact.urgent, fact.name, words_of(fact, is_message)});
  }
  return missed;
}

}  // namespace crm
