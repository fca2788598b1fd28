#pragma once
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// Adds or corrects the events of a call; their place in the vector is their ordinal. A detail that is not a JSON
/// object is kept as {"text": …}.
base::Async<base::Result<>> put_events(pg::Session& session, base::TenantId tenant, base::CallId call,
                                       std::vector<CallEvent> events);
base::Async<base::Result<std::vector<CallEvent>>> events_of(pg::Session& session, base::TenantId tenant,
                                                            base::CallId call);

}  // namespace crm
