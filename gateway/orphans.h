#pragma once
#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/call/carrier.h"

namespace gateway {

/// Finds calls that an earlier life of this node left open, asks the carrier about each and writes their end. A call
/// that still runs is left alone: its next webhook brings it back to us. Runs on the back office.
class OrphanSweep {
 public:
  OrphanSweep(crm::pg::Pool& database, Carrier& carrier, base::TimeSource& time, base::Log log, std::string node,
              std::int64_t epoch);

  /// Sweeps every half minute until cancelled, and sooner while the database is away.
  base::Async<> run();
  /// False when the database was away for it.
  base::Async<bool> sweep();

 private:
  base::Async<bool> settle(crm::CallRecord const& call);

  crm::pg::Pool& database_;
  Carrier& carrier_;
  base::TimeSource& time_;
  base::Log log_;
  std::string node_;
  std::int64_t epoch_;
};

}  // namespace gateway
