#pragma once
#include <string>

#include "crm/desk/desk.h"
#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace crm {

/// The desk over a core's pool. Each request is one transaction: what is looked at, written, and queued for others to
/// hear belongs together. The same request of a call again is answered the same and does nothing, also when the answer
/// to the first was lost on its way. Everything it borrows outlives it.
class FrontDesk final : public Desk {
 public:
  FrontDesk(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics);

  base::Async<DeskAnswer> handle(DeskCaller caller, DeskRequest request, base::Instant deadline) override;
  base::Async<bool> confirm(DeskCaller caller, std::string appointment, base::Instant deadline) override;
  base::Async<> release_holds(DeskCaller caller, base::Instant deadline) override;

 private:
  DeskAnswer counted(DeskAnswer answer);

  pg::Pool& pool_;
  base::TimeSource& time_;
  base::Log log_;
  prometheus::Counter& done_;
  prometheus::Counter& refused_;
  prometheus::Counter& unavailable_;
};

}  // namespace crm
