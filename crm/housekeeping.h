#pragma once
#include <chrono>

#include "crm/pg/pool.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"

namespace crm {

/// Counts what waits, and forgets what is done and old: raw deliveries and what others were told are not kept for ever.
/// What still has to be done is never forgotten. Lives in the back office.
class Housekeeping {
 public:
  struct Settings {
    std::chrono::hours keep_inbox{24 * 30};   ///< Since it came.
    std::chrono::hours keep_outbox{24 * 90};  ///< Since it was told; its attempts go with it.
    std::chrono::milliseconds count_every{10'000};
    std::chrono::milliseconds forget_every{3'600'000};
    int most_at_once = 500;  ///< Rows in one statement: nobody waits long for their locks.
  };

  Housekeeping(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics, Settings settings);

  /// Until it is cancelled.
  base::Async<> run();
  /// False when the database could not be asked, like the next.
  base::Async<bool> count();
  base::Async<bool> forget();

 private:
  pg::Pool& pool_;
  base::TimeSource& time_;
  base::Log log_;
  Settings settings_;
  prometheus::Gauge& waiting_;
  prometheus::Gauge& parked_;
  prometheus::Gauge& received_;
};

}  // namespace crm
