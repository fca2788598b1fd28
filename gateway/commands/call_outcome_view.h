#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/outcome/settled_call.h"

namespace gateway {

/// What a call led to, for people: its outcome, contact, tool calls and what other systems were told. Nothing for a
/// call that has none of it.
void print_outcome(std::ostream& out, crm::SettledCall const& settled,
                   std::vector<crm::CallToolCall> const& tool_calls);

/// The same as members for the JSON object of a call: outcome, contact_id, contact_match, tool_calls, outbox.
std::string outcome_json(crm::SettledCall const& settled, std::vector<crm::CallToolCall> const& tool_calls);

}  // namespace gateway
