#pragma once
#include <string>
#include <string_view>

#include "crm/outbox/row.h"
#include "gateway/base/result.h"

namespace crm::webhook {

/// Where a tenant wants to be told.
struct Settings {
  std::string url;
};
/// From {"url": "https://…"}. Fault::refused when it is no http or https URL, or carries a user name.
base::Result<Settings> read_settings(std::string_view json);
std::string to_json(Settings const& settings);

/// The body of a request, as Standard Webhooks recommends it: {"type", "timestamp", "data"}. `data` is the payload's
/// own with the ids that are known beside it; `timestamp` is when it happened. The same row gives the same bytes.
std::string body_of(OutboxRow const& row);

}  // namespace crm::webhook
