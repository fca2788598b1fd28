#pragma once
// The receptionist's desk: what an agent may do for a caller while the call runs.
#include <optional>
#include <string>

#include "gateway/base/async.h"
#include "gateway/base/ids.h"
#include "gateway/base/time_source.h"

namespace crm {

/// Who is on the phone, and with whom: from the call itself, never from what a model says.
struct DeskCaller {
  base::TenantId tenant;
  base::CallId call;
  std::string person;      ///< Number of the person, E.164; anything else when it is withheld.
  std::string our_number;  ///< E.164.
};

/// Something the agent asked for. `parameters_json` has been checked against the tool's definition.
struct DeskRequest {
  std::string tool;
  std::string tool_call_id;  ///< Of the agent: the same one twice is the same request.
  std::string parameters_json;
};

struct DeskAnswer {
  std::string json;  ///< {"ok":true,…} or {"ok":false,"reason":"…","say":"…"}.
  bool is_error = false;
  /// An appointment that counts as confirmed only when the caller has heard it read back: see confirm().
  std::optional<std::string> to_read_back;
};

/// Lives on a core's thread.
class Desk {
 public:
  virtual ~Desk() = default;
  /// Always answers, in words the agent can use; by `deadline`, also when the database is away.
  virtual base::Async<DeskAnswer> handle(DeskCaller caller, DeskRequest request, base::Instant deadline) = 0;
  /// The caller has heard the read-back of an appointment. Safe to repeat; false when it could not be noted.
  virtual base::Async<bool> confirm(DeskCaller caller, std::string appointment, base::Instant deadline) = 0;
  /// The call is over: what it only held is free again. A hold ends by itself, too, so this may fail.
  virtual base::Async<> release_holds(DeskCaller caller, base::Instant deadline) = 0;
};

}  // namespace crm
