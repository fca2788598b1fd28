#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/outcome/tool_facts.h"

namespace crm {

/// Something the caller asked for while we could not do it: a person reads it afterwards.
struct MissedRequest {
  std::size_t ordinal = 0;   ///< Of its tool call.
  std::string tool_call_id;  ///< As the agent named it.
  bool is_message = false;   ///< The caller left word; else it is a wish for an appointment.
  bool urgent = false;
  std::string name;
  std::string body;  ///< For people.
};

/// Those that no later try of the same tool has made good; wishes for an appointment not when one was `booked` after
/// all.
std::vector<MissedRequest> missed_requests(std::vector<ToolFact> const& tools, bool booked);

}  // namespace crm
