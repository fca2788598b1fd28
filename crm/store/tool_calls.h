#pragma once
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// Writes the tool calls of a call under their place in the list; what was stored and is not in the list stays.
base::Async<base::Result<>> put_tool_calls(pg::Session& session, base::TenantId tenant, base::CallId call,
                                           std::vector<CallToolCall> tool_calls);
base::Async<base::Result<std::vector<CallToolCall>>> tool_calls_of(pg::Session& session, base::TenantId tenant,
                                                                   base::CallId call);

}  // namespace crm
