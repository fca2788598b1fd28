#pragma once
#include <optional>
#include <string>

#include "gateway/base/ids.h"

namespace crm {

/// A business whose phone we answer.
struct Tenant {
  base::TenantId id;
  std::string name;
  std::string timezone = "UTC";  ///< IANA name, "America/New_York".
  std::optional<std::string> industry;
  bool active = true;
  int max_concurrent_calls = 20;
};

}  // namespace crm
