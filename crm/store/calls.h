#pragma once
#include <optional>
#include <string>
#include <vector>

#include "crm/model/call_record.h"
#include "crm/pg/session.h"

namespace crm {

struct CallFilter {
  std::optional<base::TenantId> tenant;
  std::optional<Wall> since;  ///< Started at this time or later.
  std::optional<std::string>
      before;  ///< Started before this call (CallId or CallSid); none when there is no such call.
  int limit = 50;
};

/// Writes a snapshot with its turns, events and tool calls when its version is newer than what is stored; to be run in
/// a transaction. The first terminal status, its ending, blame and end time are kept whatever comes later. A call is
/// known by its CallSid: a record that was begun twice keeps its first id. False when the stored version is as new.
base::Async<base::Result<bool>> save_call(pg::Session& session, CallRecord record);

/// By CallId ("call_…") or CallSid, with turns, events and tool calls.
base::Async<base::Result<std::optional<CallRecord>>> find_call(pg::Session& session, std::string id_or_sid);

/// Newest first, without turns and events.
base::Async<base::Result<std::vector<CallRecord>>> list_calls(pg::Session& session, CallFilter filter);

/// Calls that an earlier life of this node left open, without turns and events; oldest first.
base::Async<base::Result<std::vector<CallRecord>>> open_calls_of_other_epochs(pg::Session& session, std::string node,
                                                                              std::int64_t epoch);

/// Gives a call its terminal state from outside (status callback, orphan sweep). True when this did it; false when the
/// call had ended already or is unknown. Safe to repeat. `status` must be terminal.
base::Async<base::Result<bool>> close_call(pg::Session& session, base::CallSid sid, CallStatus status,
                                           std::string ending, Blame blame, Wall ended_at);

}  // namespace crm
