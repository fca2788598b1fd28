#pragma once
#include <functional>
#include <optional>
#include <string>

#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/call/carrier.h"

namespace gateway {

/// What else is known of a call whose gateway has died.
struct OrphanWitness {
  /// When the agent's conversation ended; nothing while it goes on, a fault when nobody knows.
  std::function<base::Async<base::Result<std::optional<crm::Wall>>>(std::string conversation_id)> end_of_conversation;
  /// Called when one was closed.
  std::function<void()> closed;
};

/// Finds calls that an earlier life of this node left open, asks the carrier about each and writes their end. Where
/// the carrier does not know when that was, the agent's provider is asked. A call that still runs is left alone: its
/// next webhook brings it back to us. Runs on the back office.
class OrphanSweep {
 public:
  OrphanSweep(crm::pg::Pool& database, Carrier& carrier, base::TimeSource& time, base::Log log, std::string node,
              std::int64_t epoch, OrphanWitness witness);

  /// Sweeps every half minute until cancelled, and sooner while the database is away.
  base::Async<> run();
  /// False when the database was away for it.
  base::Async<bool> sweep();

 private:
  base::Async<bool> settle(crm::CallRecord const& call);
  base::Async<std::optional<crm::Wall>> end_of_conversation(crm::CallRecord const& call);

  crm::pg::Pool& database_;
  Carrier& carrier_;
  base::TimeSource& time_;
  base::Log log_;
  std::string node_;
  std::int64_t epoch_;
  OrphanWitness witness_;
};

}  // namespace gateway
