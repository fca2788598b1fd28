#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "crm/model/call_record.h"
#include "gateway/base/async.h"
#include "gateway/base/ids.h"

namespace gateway {

/// Names one call at the carrier.
struct CarrierCall {
  base::AccountSid account;
  base::CallSid sid;
};

struct CarrierFacts {
  crm::CallStatus status = crm::CallStatus::in_progress;
  std::optional<std::chrono::seconds> duration;
};

/// What the live call asks of the carrier beside the media stream. Faults: not_found and conflict mean that the call is
/// already over, refused that our credentials are wrong, the rest that it may be tried again.
class Carrier {
 public:
  virtual ~Carrier() = default;
  /// Ends the call, whatever it is doing. A call that is already over counts as success.
  virtual base::Async<base::Result<>> hang_up(CarrierCall call) = 0;
  /// Replaces the running document: a person's phone rings instead of the agent. The stream then ends by itself.
  virtual base::Async<base::Result<>> transfer(CarrierCall call, std::string number, std::string caller_id) = 0;
  virtual base::Async<base::Result<CarrierFacts>> look_up(CarrierCall call) = 0;
};

}  // namespace gateway
