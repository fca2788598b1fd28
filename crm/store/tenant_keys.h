#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/pg/session.h"
#include "gateway/base/ids.h"

namespace crm {

/// A tenant's data key as it is kept: wrapped by the master key `master_id`. Deleting it makes everything that was
/// sealed with it unreadable for ever.
struct TenantKeyRow {
  base::TenantId tenant;
  std::string id;  ///< "key_…".
  std::string master_id;
  std::string wrapped;  ///< An envelope.
};

/// Fault::not_found when there is no such tenant.
base::Async<base::Result<>> insert_tenant_key(pg::Session& session, TenantKeyRow row);
/// The one to seal with.
base::Async<base::Result<std::optional<TenantKeyRow>>> newest_tenant_key(pg::Session& session, base::TenantId tenant);
base::Async<base::Result<std::optional<TenantKeyRow>>> find_tenant_key(pg::Session& session, base::TenantId tenant,
                                                                       std::string id);
/// All that another master key has wrapped.
base::Async<base::Result<std::vector<TenantKeyRow>>> tenant_keys_not_under(pg::Session& session, std::string master_id);
/// False when it is not wrapped as `old_wrapped` any more.
base::Async<base::Result<bool>> rewrap_tenant_key(pg::Session& session, TenantKeyRow row, std::string old_wrapped);

}  // namespace crm
