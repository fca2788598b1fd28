#pragma once
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// Makes the stored turns of a call equal to these; their place in the vector is their ordinal.
base::Async<base::Result<>> put_turns(pg::Session& session, base::TenantId tenant, base::CallId call,
                                      std::vector<CallTurn> turns);
base::Async<base::Result<std::vector<CallTurn>>> turns_of(pg::Session& session, base::TenantId tenant,
                                                          base::CallId call);

}  // namespace crm
