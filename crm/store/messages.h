#pragma once
#include "crm/pg/session.h"
#include "gateway/base/ids.h"

namespace crm {

/// How many text messages a call has led to. Queueing one is crm/outbox/enqueue.h.
base::Async<base::Result<std::int64_t>> count_messages_of_call(pg::Session& session, base::TenantId tenant,
                                                               base::CallId call);

}  // namespace crm
