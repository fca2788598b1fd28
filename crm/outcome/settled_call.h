#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_outcome.h"
#include "crm/model/call_record.h"
#include "crm/model/contact.h"
#include "crm/pg/session.h"

namespace crm {

/// An outcome as it is stored, with what the agent's provider has said later.
struct StoredOutcome {
  CallOutcome outcome;
  std::optional<std::string> confirmation_number;
  std::optional<std::string> summary;
  std::optional<std::string> evaluation_json;
  std::optional<std::string> collected_json;
  std::optional<std::string> quarantine_json;
  std::optional<std::string> enriched_from;
  std::optional<Wall> enriched_at;
  std::optional<std::string> poll_ended;  ///< Why the agent's provider is not asked any more.
};

/// Something that another system must hear about a call, and how far that is.
struct ToTell {
  std::string id;
  std::string event;
  std::string to;      ///< "sms", or the name of the integration.
  std::string status;  ///< waiting, leased, done or parked.
  int attempts = 0;
  std::optional<Wall> next_at;  ///< While it waits.
  std::optional<std::string> parked_reason;
  std::optional<std::string> remote_id;
};

/// What a call led to.
struct SettledCall {
  std::optional<ContactId> contact;
  std::optional<std::string> contact_match;
  std::optional<StoredOutcome> outcome;  ///< None while the call runs.
  std::vector<ToTell> outbox;            ///< In the order in which it was queued.
};

base::Async<base::Result<SettledCall>> find_settled_call(pg::Session& session, base::TenantId tenant,
                                                         base::CallId call);

}  // namespace crm
