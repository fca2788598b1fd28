#pragma once
#include "crm/outbox/adapter.h"
#include "crm/outbox/row.h"

namespace crm {

/// Tells one system what a row of the outbox says. Calls may overlap, for different rows; all on one thread.
class Deliverer {
 public:
  virtual ~Deliverer() = default;
  /// Ends at `deadline`. Safe to repeat: the row comes again whenever nobody knows how an attempt ended.
  virtual base::Async<Delivered<Receipt>> deliver(OutboxRow row, base::Instant deadline) = 0;
};

}  // namespace crm
