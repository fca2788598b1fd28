#pragma once
#include <optional>
#include <string>

#include "crm/model/integration.h"
#include "crm/pg/session.h"

namespace crm {

/// What something of ours is called at an integration. `kind` is contact, appointment, lead, call or note.
struct ExternalLink {
  base::TenantId tenant;
  IntegrationId integration;
  std::string kind;
  std::string our_id;
};

base::Async<base::Result<std::optional<std::string>>> find_link(pg::Session& session, ExternalLink link);
/// The last word counts: a record there may have been merged into another one.
base::Async<base::Result<>> keep_link(pg::Session& session, ExternalLink link, std::string remote_id);

}  // namespace crm
