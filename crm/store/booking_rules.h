#pragma once
#include <string>

#include "crm/pg/session.h"
#include "gateway/base/ids.h"

namespace crm {

/// What of a tenant a booking needs beside the slots.
struct BookingRules {
  std::string business;  ///< Its name.
  std::string timezone;
  bool confirm_by_sms = true;
};

/// Fault::not_found when there is no such tenant. For the beginning of a transaction.
base::Async<base::Result<BookingRules>> booking_rules(pg::Session& session, base::TenantId tenant);
/// The same, and until the end of the transaction nobody else gets them this way: what is looked at and then written is
/// still so, and the same request cannot be under way twice.
base::Async<base::Result<BookingRules>> lock_bookings(pg::Session& session, base::TenantId tenant);

}  // namespace crm
