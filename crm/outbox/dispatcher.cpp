#include "crm/outbox/dispatcher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>

#include "crm/outbox/backoff.h"
#include "crm/store/integrations.h"

namespace crm {
namespace {

using base::Async;
using base::Fault;
using base::Result;
using std::chrono::milliseconds;

/// Whether the same statement may succeed a moment later.
bool passes(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out;
}

Async<bool> is_stopped() {
  auto const stop = co_await asio::this_coro::cancellation_state;
  co_return stop.cancelled() != asio::cancellation_type::none;
}

Dispatcher::Dice fair_dice() {
  return [engine = std::mt19937_64{std::random_device{}()}]() mutable {
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine);
  };
}

std::string target_of(OutboxRow const& row) {
  return row.integration ? row.integration->text() : "sms";
}

bool is_for_a_person(DeliveryFault const& fault) {
  return fault.kind == DeliveryFault::Kind::rejected || fault.kind == DeliveryFault::Kind::needs_reauth;
}

}  // namespace

Dispatcher::Dispatcher(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, Deliverer& deliverer,
                       base::Log log, base::Metrics& metrics)
    : Dispatcher{std::move(back_office), pool, time, deliverer, std::move(log), metrics, Settings{}, fair_dice()} {}

Dispatcher::Dispatcher(asio::any_io_executor back_office, pg::Pool& pool, base::TimeSource& time, Deliverer& deliverer,
                       base::Log log, base::Metrics& metrics, Settings settings, Dice dice)
    : back_office_{back_office},
      pool_{pool},
      time_{time},
      deliverer_{deliverer},
      log_{std::move(log)},
      settings_{settings},
      dice_{std::move(dice)},
      deliveries_{back_office,
                  [this](std::string const& what) { log_.error("a delivery crashed", {{"detail", what}}); }},
      bell_{back_office},
      idle_{back_office},
      metrics_{metrics},
      delivered_{metrics.counter("switchboard_outbox_delivered_total", "Things that other systems have been told")},
      parked_{metrics.counter("switchboard_outbox_parked_total", "Things that wait for a person")},
      overtaken_{metrics.counter("switchboard_outbox_overtaken_total",
                                 "Deliveries whose lease somebody else had taken before they ended")} {}

void Dispatcher::ring() {
  asio::post(back_office_, [this] { bell_.ring(); });
}

// ---- taking

Async<> Dispatcher::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  running_ = true;
  bool stopped = false;
  while (!draining_ && !stopped) {
    auto const pause = co_await look();
    (void)co_await bell_.wait_until(time_, time_.now() + pause);
    stopped = co_await is_stopped();
  }
  running_ = false;
  idle_.ring();
}

/// How long until the next look, if nobody rings.
Async<milliseconds> Dispatcher::look() {
  if (deliveries_.size() >= settings_.most_at_once) co_return settings_.poll;
  LeaseTerms terms{static_cast<int>(settings_.most_at_once - deliveries_.size()), settings_.per_target,
                   settings_.per_tenant, settings_.lease, resting()};
  auto session = pool_.until(time_.now() + settings_.query_limit);
  auto rows = co_await lease_due(session, std::move(terms));
  if (!rows) {
    if (rows.error().fault != Fault::cancelled)
      log_.warning("outbox not read",
                   {{"fault", base::to_string(rows.error().fault)}, {"detail", rows.error().detail}});
    co_return settings_.poll;
  }
  for (auto& row : *rows) {
    if (!draining_) {
      deliveries_.spawn(deliver(std::move(row)));
      continue;
    }
    auto const returned = co_await give_back(session, std::move(row));
    (void)returned;  // else its lease runs out
  }
  co_return settings_.poll;
}

std::vector<std::string> Dispatcher::resting() {
  std::erase_if(resting_, [now = time_.now()](auto const& each) { return each.second <= now; });
  std::vector<std::string> targets;
  for (auto const& [target, until] : resting_) targets.push_back(target);
  return targets;
}

void Dispatcher::let_rest(OutboxRow const& row, DeliveryFault const& fault) {
  if (fault.kind != DeliveryFault::Kind::rate_limited || !fault.retry_after) return;
  auto& until = resting_[target_of(row)];
  until = std::max(until, time_.now() + *fault.retry_after);
}

// ---- telling

Async<> Dispatcher::deliver(OutboxRow row) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const begun = time_.now();
  AttemptTimes times{time_.wall(), milliseconds{0}};
  auto const outcome = co_await deliverer_.deliver(row, begun + settings_.delivery_limit);
  times.took = std::chrono::duration_cast<milliseconds>(time_.now() - begun);
  bool const stopped = co_await is_stopped();
  // A fault may be no more than the cancellation itself: nobody knows how it ended, so the lease runs out.
  if (stopped && !outcome) co_return;
  if (stopped) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (!outcome) let_rest(row, outcome.error());
  co_await note(row, outcome, times);
  report(row, outcome, times);
  bell_.ring();  // what waited behind it
}

/// For as long as it takes: a receipt that is lost means telling them twice.
Async<> Dispatcher::note(OutboxRow const& row, Delivered<Receipt> const& outcome, AttemptTimes times) {
  for (int failures = 1;; ++failures) {
    auto const counted = co_await note_once(row, outcome, times);
    if (counted) {
      if (!*counted) overtaken_.Increment();
      co_return;
    }
    auto const fault = counted.error().fault;
    if (!passes(fault)) {
      // The row is gone with its tenant, or this is a mistake of ours; either way the lease ends by itself.
      if (fault != Fault::cancelled)
        log_.error("outcome of a delivery not noted",
                   {{"outbox", row.id}, {"fault", base::to_string(fault)}, {"detail", counted.error().detail}});
      co_return;
    }
    bool const stopped = co_await is_stopped();
    if (stopped || draining_) co_return;
    auto const pause = backoff(failures, settings_.first_backoff, std::chrono::seconds{10}, dice_());
    (void)co_await time_.wait(pause);
  }
}

Async<Result<bool>> Dispatcher::note_once(OutboxRow const& row, Delivered<Receipt> const& outcome, AttemptTimes times) {
  auto const deadline = time_.now() + settings_.query_limit;
  if (outcome) {
    auto session = pool_.until(deadline);
    auto const counted = co_await note_done(session, row, *outcome, times);
    co_return counted;
  }
  auto const work = [&](pg::Transaction& transaction) { return note_fault(transaction, row, outcome.error(), times); };
  auto const counted = co_await pool_.transaction(work, deadline);
  co_return counted;
}

Async<Result<bool>> Dispatcher::note_fault(pg::Session& session, OutboxRow const& row, DeliveryFault const& fault,
                                           AttemptTimes times) {
  bool const tired = row.attempt % settings_.most_attempts == 0;
  if (!is_for_a_person(fault) && !tired) {
    auto const counted = co_await note_later(session, row, fault, times, delay_after(row, fault));
    co_return counted;
  }
  auto reason = is_for_a_person(fault) ? std::string{to_string(fault.kind)}
                                       : "given up after " + std::to_string(row.attempt) + " attempts";
  if (!fault.detail.empty()) reason += ": " + fault.detail;
  auto const counted = co_await note_parked(session, row, fault, times, reason);
  if (!counted || !*counted || !row.integration || fault.kind != DeliveryFault::Kind::needs_reauth) co_return counted;
  auto const set =
      co_await set_integration_status(session, row.tenant, *row.integration, IntegrationStatus::needs_reauth);
  if (!set) co_return std::unexpected{set.error()};
  co_return counted;
}

milliseconds Dispatcher::delay_after(OutboxRow const& row, DeliveryFault const& fault) {
  auto delay = backoff(row.attempt, settings_.first_backoff, settings_.longest_backoff, dice_());
  if (fault.kind == DeliveryFault::Kind::ambiguous) delay = std::max(delay, settings_.after_ambiguous);
  if (fault.retry_after) delay = std::max(delay, *fault.retry_after);
  return delay;
}

void Dispatcher::report(OutboxRow const& row, Delivered<Receipt> const& outcome, AttemptTimes times) {
  if (outcome) {
    delivered_.Increment();
    log_.info("outbox row delivered", {{"tenant", row.tenant.text()},
                                       {"outbox", row.id},
                                       {"event", row.event},
                                       {"target", target_of(row)},
                                       {"attempt", row.attempt},
                                       {"ms", times.took.count()}});
    return;
  }
  auto const& fault = outcome.error();
  metrics_
      .counter("switchboard_outbox_faults_total", "Deliveries that failed",
               {{"kind", std::string{to_string(fault.kind)}}})
      .Increment();
  bool const parked = is_for_a_person(fault) || row.attempt % settings_.most_attempts == 0;
  if (parked) parked_.Increment();
  log_.warning(parked ? "outbox row parked" : "outbox row not delivered yet",
               {{"tenant", row.tenant.text()},
                {"outbox", row.id},
                {"event", row.event},
                {"target", target_of(row)},
                {"attempt", row.attempt},
                {"kind", to_string(fault.kind)},
                {"status", fault.http_status.value_or(0)},
                {"detail", fault.detail},
                {"ms", times.took.count()}});
}

// ---- the end

Async<> Dispatcher::drain(base::TimeSource::Clock::duration grace) {
  draining_ = true;
  bell_.ring();
  while (running_) {
    bool const rung = co_await idle_.wait();
    if (!rung) break;
  }
  co_await deliveries_.drain(time_, grace);
}

}  // namespace crm
