#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crm/outbox/adapter.h"
#include "crm/outbox/row.h"
#include "crm/pg/session.h"

namespace crm {

/// How much may be taken out of the outbox at once.
struct LeaseTerms {
  int most = 32;                           ///< Rows.
  int per_target = 4;                      ///< Under lease at a time for one integration, or a tenant's SMS.
  int per_tenant = 8;                      ///< Under lease at a time for one tenant.
  std::chrono::milliseconds span{60'000};  ///< After which somebody else may take the row.
  std::vector<std::string> resting{};      ///< Integrations, or "sms", that asked to be left alone for now.
};

/// When an attempt was made and how long it took.
struct AttemptTimes {
  Wall started_at{};
  std::chrono::milliseconds took{0};
};

/// Takes rows that are due, by the database's clock, whose earlier rows with the same order key and target are through.
/// Two that ask at once never get the same row. Every tenant gets its first row before any gets its second. A row whose
/// lease ran out is due again. One statement, a transaction of its own.
base::Async<base::Result<std::vector<OutboxRow>>> lease_due(pg::Session& session, LeaseTerms terms);

/// These end a lease, and say whether the word counted: not when somebody else has taken the row since. The attempt is
/// recorded either way.
base::Async<base::Result<bool>> note_done(pg::Session& session, OutboxRow row, Receipt receipt, AttemptTimes times);
base::Async<base::Result<bool>> note_later(pg::Session& session, OutboxRow row, DeliveryFault fault, AttemptTimes times,
                                           std::chrono::milliseconds delay);
base::Async<base::Result<bool>> note_parked(pg::Session& session, OutboxRow row, DeliveryFault fault,
                                            AttemptTimes times, std::string_view reason);
/// Nothing was tried: as if it had never been taken.
base::Async<base::Result<>> give_back(pg::Session& session, OutboxRow row);

/// Deletes what was told longer than `age` ago, with its attempts, `most` at a time; nothing that waits or is parked.
/// How many that were.
base::Async<base::Result<std::int64_t>> forget_told(pg::Session& session, std::chrono::hours age, int most);

std::string_view to_string(DeliveryFault::Kind kind);

}  // namespace crm
