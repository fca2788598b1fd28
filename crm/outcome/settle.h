#pragma once
#include <string>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

/// Writes what a finished call means to the business: its contact, its outcome, what its messages said while the
/// database was away, and an outbox row for each system that must hear of it; frees what it only held. To be run in the
/// transaction that has stored the record (save_call). Safe to repeat: however often and in whatever order records of a
/// call come, there is one outcome and one row for each target. A later record can only add: a category that says more,
/// a contact, an appointment. True when something was written; false when the call is not stored.
base::Async<base::Result<bool>> settle_call(pg::Session& session, CallRecord const& call);

/// Ends a call from outside (status callback, orphan sweep), see close_call(), and settles it from what is stored of
/// it. To be run in a transaction. True when this ended it.
base::Async<base::Result<bool>> close_and_settle(pg::Session& session, base::CallSid sid, CallStatus status,
                                                 std::string ending, Blame blame, Wall ended_at);

}  // namespace crm
