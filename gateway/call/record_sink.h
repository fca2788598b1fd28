#pragma once
#include "crm/model/call_record.h"

namespace gateway {

/// Where the snapshots of a call go. A newer snapshot of the same call (by `version`) replaces an older one.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// Returns at once, never fails towards the call; from any thread.
  virtual void save(crm::CallRecord snapshot) = 0;
};

}  // namespace gateway
