#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "crm/model/call_record.h"
#include "crm/model/integration.h"

namespace crm {

/// Something that must be told to somebody, held by us under a lease.
struct OutboxRow {
  base::TenantId tenant;
  std::string id;                            ///< "obx_…".
  std::optional<IntegrationId> integration;  ///< Nothing: an SMS.
  std::string provider;                      ///< Of the integration; empty for an SMS.
  std::string event;                         ///< "call.ended".
  std::optional<std::string> call;
  std::optional<std::string> contact;
  std::string payload_json;
  Wall created_at{};
  int attempt = 1;          ///< This one; 1 is the first.
  std::int64_t fence = 0;   ///< Of this lease.
  bool maybe_sent = false;  ///< An earlier attempt may have reached them although nobody heard their answer.
};

}  // namespace crm
