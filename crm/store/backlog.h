#pragma once
#include <cstdint>

#include "crm/pg/session.h"

namespace crm {

/// What is not through yet, of all tenants.
struct Backlog {
  std::int64_t outbox_waiting = 0;  ///< Those being told included.
  std::int64_t outbox_parked = 0;   ///< Waits for a person.
  std::int64_t inbox_waiting = 0;   ///< Acknowledged to its sender, not applied yet.
};

base::Async<base::Result<Backlog>> count_backlog(pg::Session& session);

}  // namespace crm
