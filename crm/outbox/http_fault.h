#pragma once
#include "crm/outbox/adapter.h"

namespace crm {

/// What an error of net::HttpClient means for a delivery: it does not tell whether the request got through, so that
/// everything but a request that was never made is ambiguous.
DeliveryFault fault_of(base::Error const& error);

/// A moment later than that may help: for secrets and rows that could not be read before anything was sent.
DeliveryFault not_sent(base::Error const& error);

}  // namespace crm
