#include "gateway/agent/elevenlabs/conversation_poll.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace gateway::elevenlabs {
namespace {

using std::chrono::milliseconds;

constexpr auto query_limit = std::chrono::seconds{10};

prometheus::Counter& counter(base::Metrics& metrics, char const* result) {
  return metrics.counter("switchboard_conversation_polls_total",
                         "Questions to the agent's provider about calls of which no webhook has told.",
                         {{"result", result}});
}

}  // namespace

ConversationPoll::ConversationPoll(asio::any_io_executor executor, Conversations& conversations,
                                   crm::pg::Pool& database, base::TimeSource& time, base::Log log,
                                   base::Metrics& metrics, ApplyPostCall apply, Settings settings)
    : conversations_{conversations},
      database_{database},
      time_{time},
      log_{std::move(log)},
      apply_{std::move(apply)},
      settings_{settings},
      bell_{executor},
      applied_{counter(metrics, "applied")},
      early_{counter(metrics, "too_early")},
      failed_{counter(metrics, "failed")},
      given_up_{counter(metrics, "given_up")} {}

base::Async<> ConversationPoll::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  while (stop.cancelled() == asio::cancellation_type::none) {
    auto const asked = co_await look();
    bool const more = asked && *asked == static_cast<std::size_t>(settings_.most_a_round);
    // A fault of the database is no reason to ask it more often.
    if (!more) (void)co_await bell_.wait_until(time_, time_.now() + settings_.look_every);
  }
}

base::Async<std::optional<std::size_t>> ConversationPoll::look() {
  using namespace asio::experimental::awaitable_operators;
  if (!conversations_.can_read() || time_.now() < paused_until_) co_return std::size_t{0};
  auto session = database_.until(time_.now() + query_limit);
  crm::UnenrichedTerms const terms{settings_.most_a_round, settings_.after, settings_.oldest, settings_.lease};
  auto due = co_await crm::lease_unenriched(session, terms);
  if (!due) co_return std::nullopt;
  auto const count = due->size();
  waiting_ = std::move(*due);
  static_assert(at_once == 4);
  co_await (work_off() && work_off() && work_off() && work_off());
  co_return count;
}

base::Async<> ConversationPoll::work_off() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  while (!waiting_.empty() && stop.cancelled() == asio::cancellation_type::none) {
    auto call = std::move(waiting_.back());
    waiting_.pop_back();
    auto const pause = paused_until_ - time_.now();
    if (pause.count() > 0)
      co_await again(call, std::chrono::ceil<milliseconds>(pause), "");
    else
      co_await ask(std::move(call));
  }
}

base::Async<> ConversationPoll::ask(crm::UnenrichedCall call) {
  auto told = co_await conversations_.read(call.conversation_id);
  if (!told) {
    co_await excuse(call, std::move(told.error()));
    co_return;
  }
  key_refused_ = false;
  if (told->is_complete()) {
    co_await take(call, std::move(*told));
    co_return;
  }
  early_.Increment();
  co_await again(call, backoff(call.polls), "not finished within a day");
}

base::Async<> ConversationPoll::take(crm::UnenrichedCall const& call, PostCall told) {
  // The end of the conversation, which is before any webhook about it: so that the webhook's word stands, whichever of
  // the two comes first.
  if (told.start_unix && told.duration)
    told.event_unix = *told.start_unix + told.duration->count();
  else if (call.ended_at)
    told.event_unix = std::chrono::duration_cast<std::chrono::seconds>(call.ended_at->time_since_epoch()).count();
  auto const work = [&](crm::pg::Transaction& transaction) -> base::Async<base::Result<bool>> {
    auto applied = co_await apply_(transaction, told);
    co_return applied;
  };
  auto const done = co_await database_.transaction(work, time_.now() + query_limit);
  if (done) {
    applied_.Increment();
    co_return;
  }
  failed_.Increment();
  log_.warning("conversation not written",
               {{"call", call.call.text()}, {"fault", base::to_string(done.error().fault)}});
  co_await again(call, backoff(call.polls), "could not be written");
}

base::Async<> ConversationPoll::excuse(crm::UnenrichedCall const& call, Unread unread) {
  failed_.Increment();
  switch (unread.kind) {
    case Unread::Kind::unknown:
      co_await give_up(call, "unknown to the provider");
      co_return;
    case Unread::Kind::never:
      co_await give_up(call, std::move(unread.why));
      co_return;
    case Unread::Kind::not_allowed:
      if (!key_refused_) log_.error("ELEVENLABS_API_KEY may not read conversations", {{"why", unread.why}});
      key_refused_ = true;
      pause(settings_.rest);
      break;
    case Unread::Kind::too_often:
      pause(unread.retry_after.value_or(settings_.breath));
      break;
    case Unread::Kind::later:
      break;
  }
  auto later = backoff(call.polls);
  if (unread.retry_after) later = std::max(later, *unread.retry_after);
  co_await again(call, later, std::move(unread.why));
}

/// Until it is too old: then `why` is the reason to give up.
base::Async<> ConversationPoll::again(crm::UnenrichedCall const& call, milliseconds later, std::string why) {
  if (later >= call.left && !why.empty()) {
    co_await give_up(call, std::move(why));
    co_return;
  }
  auto session = database_.until(time_.now() + query_limit);
  // If this fails its lease runs out.
  (void)co_await crm::poll_later(session, call, later);
}

base::Async<> ConversationPoll::give_up(crm::UnenrichedCall const& call, std::string why) {
  given_up_.Increment();
  log_.info("conversation given up", {{"call", call.call.text()}, {"why", why}});
  auto session = database_.until(time_.now() + query_limit);
  (void)co_await crm::end_polling(session, call, std::move(why));
}

void ConversationPoll::pause(milliseconds span) {
  paused_until_ = std::max<base::Instant>(paused_until_, time_.now() + span);
}

milliseconds ConversationPoll::backoff(int polls) const {
  auto const doublings = std::clamp(polls - 1, 0, 20);
  return std::min(settings_.longest_backoff, settings_.first_backoff * (std::int64_t{1} << doublings));
}

}  // namespace gateway::elevenlabs
