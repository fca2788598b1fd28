#include "crm/outbox/http_fault.h"

namespace crm {

DeliveryFault fault_of(base::Error const& error) {
  using Kind = DeliveryFault::Kind;
  switch (error.fault) {
    case base::Fault::refused:
    case base::Fault::protocol:
      return {.kind = Kind::rejected, .detail = "the request may not be made: " + error.detail};
    case base::Fault::timed_out:
    case base::Fault::conflict:
    case base::Fault::not_found:
    case base::Fault::cancelled:
    case base::Fault::unavailable:
    case base::Fault::too_large:
      break;
  }
  return {.kind = Kind::ambiguous, .detail = std::string{base::to_string(error.fault)} + ": " + error.detail};
}

DeliveryFault not_sent(base::Error const& error) {
  return {.kind = DeliveryFault::Kind::not_sent,
          .detail = std::string{base::to_string(error.fault)} + ": " + error.detail};
}

}  // namespace crm
