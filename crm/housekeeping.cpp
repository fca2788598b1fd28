#include "crm/housekeeping.h"

#include "crm/outbox/store.h"
#include "crm/store/backlog.h"
#include "crm/store/inbox.h"

namespace crm {
namespace {

using base::Async;

constexpr auto query_limit = std::chrono::seconds{10};

prometheus::Gauge& outbox_gauge(base::Metrics& metrics, char const* state) {
  return metrics.gauge("switchboard_outbox_rows", "Things that other systems have not been told, of all tenants.",
                       {{"state", state}});
}

}  // namespace

Housekeeping::Housekeeping(pg::Pool& pool, base::TimeSource& time, base::Log log, base::Metrics& metrics,
                           Settings settings)
    : pool_{pool},
      time_{time},
      log_{std::move(log)},
      settings_{settings},
      waiting_{outbox_gauge(metrics, "waiting")},
      parked_{outbox_gauge(metrics, "parked")},
      received_{metrics.gauge("switchboard_inbox_waiting", "Deliveries that were taken in and are not applied yet.")} {}

Async<> Housekeeping::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto next_forget = time_.now();
  for (;;) {
    (void)co_await count();
    bool const is_due = time_.now() >= next_forget;
    bool const forgotten = is_due && co_await forget();
    if (forgotten) next_forget = time_.now() + settings_.forget_every;
    auto const waited = co_await time_.wait(settings_.count_every);
    if (!waited) co_return;
  }
}

Async<bool> Housekeeping::count() {
  auto session = pool_.until(time_.now() + query_limit);
  auto const backlog = co_await count_backlog(session);
  if (!backlog) co_return false;
  waiting_.Set(static_cast<double>(backlog->outbox_waiting));
  parked_.Set(static_cast<double>(backlog->outbox_parked));
  received_.Set(static_cast<double>(backlog->inbox_waiting));
  co_return true;
}

Async<bool> Housekeeping::forget() {
  std::int64_t forgotten = 0;
  for (bool more = true; more;) {
    auto session = pool_.until(time_.now() + query_limit);
    auto const deliveries = co_await forget_deliveries(session, settings_.keep_inbox, settings_.most_at_once);
    if (!deliveries) co_return false;
    auto const told = co_await forget_told(session, settings_.keep_outbox, settings_.most_at_once);
    if (!told) co_return false;
    forgotten += *deliveries + *told;
    more = *deliveries == settings_.most_at_once || *told == settings_.most_at_once;
  }
  if (forgotten > 0) log_.info("old deliveries forgotten", {{"count", forgotten}});
  co_return true;
}

}  // namespace crm
