#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "crm/model/call_record.h"

namespace crm {

/// One tool call of a finished call, read for what it says about the outcome. Texts are storable, trimmed and limited;
/// empty when they were not given.
struct ToolFact {
  std::size_t ordinal = 0;  ///< Its place in CallRecord::tool_calls.
  std::string tool;
  std::string tool_call_id;
  bool ok = false;
  bool unavailable = false;  ///< It failed because we could not reach what it needs, not because of what was asked.
  std::string appointment;   ///< Id of the appointment it was about.
  std::string name;
  std::string email;  ///< Lower case; empty unless it can be an address.
  std::string phone;  ///< As it was said.
  std::string message;
  std::string service;
  std::string start;
  std::string notes;
  bool urgent = false;
};

std::vector<ToolFact> read_tool_calls(std::vector<CallToolCall> const& calls);

/// The person on the phone: who called us, or whom we called. As the carrier gave it: may be withheld.
std::string const& person_of(CallRecord const& call);
/// Our number in the call.
std::string const& our_number_of(CallRecord const& call);

}  // namespace crm
