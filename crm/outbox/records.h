#pragma once
// The outbox as people look at it.
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/model/integration.h"
#include "crm/pg/session.h"

namespace crm {

struct OutboxRecord {
  base::TenantId tenant;
  std::string id;
  std::optional<IntegrationId> integration;  ///< Nothing: an SMS.
  std::string integration_name;
  std::string event;
  std::optional<std::string> call;
  std::optional<std::string> contact;
  std::string status;
  int attempts = 0;
  Wall created_at{};
  Wall next_at{};
  std::optional<Wall> done_at;
  std::optional<std::string> parked_reason;
  std::optional<std::string> remote_id;
};

struct AttemptRecord {
  int attempt = 0;
  Wall started_at{};
  std::int64_t took_ms = 0;
  std::optional<std::string> request_id;
  std::optional<std::int64_t> http_status;
  std::optional<std::string> fault;  ///< Nothing: it was delivered.
  std::optional<std::string> remote_id;
  std::optional<std::string> error;
};

struct OutboxFilter {
  std::optional<base::TenantId> tenant;
  std::optional<std::string> status;
  std::optional<std::string> call;  ///< CallId.
  int limit = 50;
};

/// Newest first.
base::Async<base::Result<std::vector<OutboxRecord>>> list_outbox(pg::Session& session, OutboxFilter filter);
base::Async<base::Result<std::optional<OutboxRecord>>> find_outbox(pg::Session& session, std::string id);
/// In their order.
base::Async<base::Result<std::vector<AttemptRecord>>> attempts_of(pg::Session& session, base::TenantId tenant,
                                                                  std::string id);

/// Which parked rows are tried again: one, or all of an integration, or all of a tenant.
struct RetryFilter {
  std::optional<std::string> id;
  std::optional<IntegrationId> integration;
  std::optional<base::TenantId> tenant;
};
struct Retried {
  base::TenantId tenant;
  std::int64_t rows = 0;
};
/// Puts parked rows back among those that wait, due at once. How many of each tenant, by its id. Nothing set: none.
base::Async<base::Result<std::vector<Retried>>> retry_parked(pg::Session& session, RetryFilter filter);

}  // namespace crm
