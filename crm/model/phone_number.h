#pragma once
#include <string>
#include <string_view>

#include "gateway/base/ids.h"

namespace crm {

using NumberId = base::Id<struct NumberIdTag>;  ///< "num_…".

/// A number that callers dial and the agent that answers it.
struct PhoneNumber {
  NumberId id;
  base::TenantId tenant;
  std::string e164;
  base::AgentId agent;
};

/// "+", a country code that does not start with 0, seven to fifteen digits in all (ITU-T E.164).
constexpr bool is_e164(std::string_view text) {
  if (text.size() < 8 || text.size() > 16 || text[0] != '+' || text[1] == '0') return false;
  for (char const c : text.substr(1)) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

}  // namespace crm
