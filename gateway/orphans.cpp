#include "gateway/orphans.h"

#include <algorithm>

#include "crm/outcome/settle.h"
#include "crm/store/calls.h"
#include "gateway/call/ending.h"

namespace gateway {
namespace {

constexpr auto sweep_every = std::chrono::seconds{30};
// The database is often away just when a process starts again: what it left open should not wait for the next sweep.
constexpr auto sweep_again = std::chrono::seconds{1};
constexpr auto query_limit = std::chrono::seconds{5};
// A carrier that cannot be asked for this long will not tell us any more; Twilio's longest call is four hours by
// default.
constexpr auto longest_call = std::chrono::hours{5};
// A carrier that refuses our credentials will not answer later either; the caller may still speak with a person whom
// the agent has called.
constexpr auto after_conversation = std::chrono::minutes{10};

}  // namespace

OrphanSweep::OrphanSweep(crm::pg::Pool& database, Carrier& carrier, base::TimeSource& time, base::Log log,
                         std::string node, std::int64_t epoch, OrphanWitness witness)
    : database_{database},
      carrier_{carrier},
      time_{time},
      log_{std::move(log)},
      node_{std::move(node)},
      epoch_{epoch},
      witness_{std::move(witness)} {}

base::Async<> OrphanSweep::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    bool const swept = co_await sweep();
    auto const waited = co_await time_.wait(swept ? sweep_every : sweep_again);
    if (!waited) co_return;
  }
}

base::Async<bool> OrphanSweep::sweep() {
  auto session = database_.until(time_.now() + query_limit);
  auto const orphans = co_await crm::open_calls_of_other_epochs(session, node_, epoch_);
  if (!orphans) co_return false;
  for (auto const& call : *orphans) {
    bool const written = co_await settle(call);
    if (!written) co_return false;
  }
  co_return true;
}

base::Async<bool> OrphanSweep::settle(crm::CallRecord const& call) {
  auto const facts = co_await carrier_.look_up({call.account_sid, call.call_sid});
  bool const ended = facts && crm::is_terminal(facts->status);
  bool const gone = !facts && facts.error().fault == base::Fault::not_found;
  bool const refused = !facts && facts.error().fault == base::Fault::refused;
  auto const now = time_.wall();
  bool const too_old = now - call.started_at > longest_call;
  std::optional<crm::Wall> end;
  if (ended && facts->duration && facts->duration->count() > 0)
    end = call.answered_at.value_or(call.started_at) + *facts->duration;
  else if (ended || gone || refused || too_old)
    end = co_await end_of_conversation(call);
  bool const nobody_will_tell = refused && end && now - *end > after_conversation;
  if (!gone && !ended && !nobody_will_tell && !too_old) co_return true;
  auto status = crm::CallStatus::failed;
  if (ended) status = facts->status;
  // The carrier would not have carried a conversation in a call that failed.
  if (!ended && end) status = crm::CallStatus::completed;
  auto const at = std::clamp(end.value_or(now), call.started_at, std::max(now, call.started_at));
  auto const close = [&](crm::pg::Transaction& transaction) {
    return crm::close_and_settle(transaction, call.call_sid, status, std::string{to_string(Ending::node_lost)},
                                 blame(Ending::node_lost), at);
  };
  auto const closed = co_await database_.transaction(close, time_.now() + query_limit);
  if (closed && *closed) {
    log_.info("orphan closed", {{"call", call.id.text()}, {"status", crm::to_string(status)}});
    if (witness_.closed) witness_.closed();
  }
  co_return closed.has_value();
}

base::Async<std::optional<crm::Wall>> OrphanSweep::end_of_conversation(crm::CallRecord const& call) {
  std::optional<crm::Wall> end;
  if (!call.conversation_id || call.conversation_id->empty() || !witness_.end_of_conversation) co_return end;
  auto const told = co_await witness_.end_of_conversation(*call.conversation_id);
  if (told) end = *told;
  co_return end;
}

}  // namespace gateway
