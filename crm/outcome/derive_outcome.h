#pragma once
#include "crm/model/call_outcome.h"
#include "crm/model/call_record.h"

namespace crm {

/// What a finished call came to, by its own record: what its tools did, how it ended, and how much was said and heard.
/// Knows nobody but the record, so the same record always has the same outcome.
CallOutcome derive_outcome(CallRecord const& call);

}  // namespace crm
