#include "gateway/agent/elevenlabs/post_call_reader.h"

#include "gateway/agent/elevenlabs/webhook_door.h"

namespace gateway::elevenlabs {
namespace {

constexpr auto limit = std::chrono::seconds{10};

/// Will the same text have more luck another time?
bool may_pass(base::Fault fault) {
  switch (fault) {
    case base::Fault::timed_out:
    case base::Fault::unavailable:
    case base::Fault::cancelled:
      return true;
    case base::Fault::refused:
    case base::Fault::protocol:
    case base::Fault::conflict:
    case base::Fault::not_found:
    case base::Fault::too_large:
      return false;
  }
  return true;
}

}  // namespace

PostCallReader::PostCallReader(asio::any_io_executor executor, crm::pg::Pool& database, base::TimeSource& time,
                               base::Log log, base::Metrics& metrics, ApplyPostCall apply, Settings settings)
    : database_{database},
      time_{time},
      log_{std::move(log)},
      apply_{std::move(apply)},
      settings_{settings},
      bell_{executor},
      applied_{metrics.counter("switchboard_post_calls_applied_total",
                               "Post-call events that are part of their call's outcome.")},
      quarantined_{metrics.counter("switchboard_post_calls_quarantined_total",
                                   "Post-call events that could not become part of an outcome.")} {}

base::Async<> PostCallReader::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  auto next_full = time_.now();
  while (stop.cancelled() == asio::cancellation_type::none) {
    bool const at_all = time_.now() >= next_full;
    bool const whole = co_await look(at_all);
    if (at_all && whole) next_full = time_.now() + settings_.look_all_every;
    auto const rested = co_await time_.wait(settings_.pause);
    if (!rested) co_return;
    if (whole) (void)co_await bell_.wait_until(time_, next_full);
  }
}

base::Async<bool> PostCallReader::look(bool at_all) {
  crm::InboxPlace place;
  for (;;) {
    auto session = database_.until(time_.now() + limit);
    auto const waiting = co_await crm::waiting_deliveries(session, inbox_source, place, !at_all, settings_.patience);
    if (!waiting) co_return false;
    if (waiting->empty()) co_return true;
    for (auto const& one : *waiting) {
      bool const settled = co_await settle(one);
      if (!settled) co_return false;
    }
    place = waiting->back();
  }
}

/// False when the database could not be asked.
base::Async<bool> PostCallReader::settle(crm::InboxPlace place) {
  auto fate = Fate::unknown;
  auto const work = [this, &place, &fate](crm::pg::Transaction& transaction) {
    return apply_one(transaction, place.key, fate);
  };
  auto const done = co_await database_.transaction(work, time_.now() + limit);
  if (done && fate == Fate::applied) applied_.Increment();
  std::string why;
  if (fate == Fate::unreadable)
    why = "cannot be read";
  else if (fate == Fate::not_yet && place.is_stale)
    why = "belongs to no call of ours";
  else if (!done && fate != Fate::not_yet && may_pass(done.error().fault))
    co_return false;
  else if (!done && fate != Fate::not_yet)
    why = "could not be applied: " + std::string{base::to_string(done.error().fault)};
  if (why.empty()) co_return true;
  bool const aside = co_await set_aside(place.key, std::move(why));
  co_return aside;
}

/// An error undoes what `apply_` has written.
base::Async<base::Result<>> PostCallReader::apply_one(crm::pg::Session& session, std::string key, Fate& fate) {
  auto const body = co_await crm::take_delivery(session, inbox_source, key);
  if (!body) co_return std::unexpected{body.error()};
  fate = Fate::gone;
  if (!*body) co_return base::Result<>{};
  auto event = read_post_call_event(**body);
  fate = Fate::unreadable;
  if (!event || !event->call) co_return base::Result<>{};
  auto const conversation = event->conversation_id;
  fate = Fate::unknown;
  auto const done = co_await apply_(session, std::move(*event->call));
  if (!done) co_return std::unexpected{done.error()};
  if (!*done) {
    fate = Fate::not_yet;
    co_return base::fail(base::Fault::not_found, "no outcome yet");
  }
  auto const marked = co_await crm::mark_applied(session, inbox_source, key, conversation);
  if (!marked) co_return std::unexpected{marked.error()};
  fate = Fate::applied;
  co_return base::Result<>{};
}

base::Async<bool> PostCallReader::set_aside(std::string key, std::string why) {
  auto session = database_.until(time_.now() + limit);
  log_.warning("post-call event quarantined", {{"why", why}});
  auto const noted = co_await crm::quarantine_delivery(session, inbox_source, std::move(key), std::move(why));
  if (noted) quarantined_.Increment();
  co_return noted.has_value();
}

}  // namespace gateway::elevenlabs
