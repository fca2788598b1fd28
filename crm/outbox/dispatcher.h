#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "crm/outbox/deliverer.h"
#include "crm/outbox/store.h"
#include "crm/pg/pool.h"
#include "gateway/base/bell.h"
#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/task_group.h"

namespace crm {

/// Tells other systems what the outbox holds, each thing until it is told or parked for a person. Several dispatchers,
/// also in other processes, may share one outbox. Lives on one thread, the back office's.
class Dispatcher {
 public:
  struct Settings {
    std::size_t most_at_once = 32;  ///< Deliveries of this dispatcher.
    int per_target = 4;             ///< Deliveries to one integration, of all dispatchers.
    int per_tenant = 8;             ///< The same for one tenant.
    std::chrono::milliseconds delivery_limit{20'000};
    std::chrono::milliseconds lease{
        30'000};  ///< Longer than a delivery and its note may take; what a killed process had waits that long.
    std::chrono::milliseconds poll{1'000};
    std::chrono::milliseconds first_backoff{1'000};
    std::chrono::milliseconds longest_backoff{600'000};
    /// An answer that never came may still be on its way into their records: looking for it sooner proves nothing.
    std::chrono::milliseconds after_ambiguous{2'000};
    int most_attempts = 288;  ///< About a day; then it is parked. Again after so many more.
    std::chrono::milliseconds query_limit{5'000};
  };
  using Dice = std::function<double()>;  ///< From [0, 1).

  Dispatcher(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, Deliverer& deliverer,
             base::Log log, base::Metrics& metrics);
  Dispatcher(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, Deliverer& deliverer,
             base::Log log, base::Metrics& metrics, Settings settings, Dice dice);

  /// There is something new: look now instead of at the next poll. Any thread; the dispatcher must outlive its
  /// executor's work.
  void ring();
  /// Takes what is due and has it delivered: spawn it once; ends when cancelled or draining.
  base::Async<> run();
  /// Takes nothing more, waits for deliveries under way for `grace`, then cancels them: their leases run out.
  base::Async<> drain(base::TimeSource::Clock::duration grace);
  /// Deliveries under way.
  std::size_t in_flight() const { return deliveries_.size(); }

 private:
  base::Async<std::chrono::milliseconds> look();
  base::Async<> deliver(OutboxRow row);
  base::Async<> note(OutboxRow const& row, Delivered<Receipt> const& outcome, AttemptTimes times);
  base::Async<base::Result<bool>> note_once(OutboxRow const& row, Delivered<Receipt> const& outcome,
                                            AttemptTimes times);
  base::Async<base::Result<bool>> note_fault(pg::Session& session, OutboxRow const& row, DeliveryFault const& fault,
                                             AttemptTimes times);
  std::chrono::milliseconds delay_after(OutboxRow const& row, DeliveryFault const& fault);
  void let_rest(OutboxRow const& row, DeliveryFault const& fault);
  std::vector<std::string> resting();
  void report(OutboxRow const& row, Delivered<Receipt> const& outcome, AttemptTimes times);

  asio::any_io_executor back_office_;
  pg::Pool& pool_;
  base::TimeSource& time_;
  Deliverer& deliverer_;
  base::Log log_;
  Settings settings_;
  Dice dice_;
  base::TaskGroup deliveries_;
  base::Bell bell_;
  base::Bell idle_;
  std::map<std::string, base::Instant> resting_;  // target -> until when they asked to be left alone
  bool running_ = false;
  bool draining_ = false;
  base::Metrics& metrics_;
  prometheus::Counter& delivered_;
  prometheus::Counter& parked_;
  prometheus::Counter& overtaken_;
};

}  // namespace crm
