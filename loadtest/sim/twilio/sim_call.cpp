#include "loadtest/sim/twilio/sim_call.h"

#include <fmt/format.h>

#include <algorithm>

namespace sim::twilio {

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr int documents_limit = 500;  // a redirect loop ends here

}  // namespace

SimCall::SimCall(Exchange& exchange, CallPlan const& plan, CallRecord& record, Listener const& listener)
    : exchange_{exchange},
      plan_{plan},
      record_{record},
      journal_{record.sid, result_, listener},
      callbacks_{exchange, plan, journal_},
      random_{plan.caller.seed},
      bell_{exchange.executor},
      alarm_{exchange.executor},
      clock_{exchange.executor} {
  result_.call_sid = record.sid;
}

base::Async<CallResult> SimCall::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await (conduct() && callbacks_.deliver());
  co_return std::move(result_);
}

base::Async<> SimCall::conduct() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await (script() || watch_the_clock());
  conclude();
  callbacks_.close();
}

base::Async<> SimCall::script() {
  co_await asio::this_coro::throw_if_cancelled(false);
  journal_.note(EventKind::initiated);
  if (plan_.direction == Direction::inbound) {
    record_.status = CallStatus::ringing;
    journal_.note(EventKind::ringing);
    (void)co_await pass(plan_.ring_for);
  } else {
    bool const reached = co_await reach_callee();
    if (!reached) co_return;
  }
  co_await run_documents();
}

/// Ends the call when the caller has had enough or the time limit is reached; never returns by itself.
base::Async<> SimCall::watch_the_clock() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (state.cancelled() == asio::cancellation_type::none) {
    auto const never = Clock::time_point::max();
    auto const patience = answered_ && plan_.caller.hang_up_after ? *answered_ + *plan_.caller.hang_up_after : never;
    auto const limit = answered_ ? *answered_ + plan_.time_limit : never;
    auto const deadline = interruption_ <= Interruption::new_document ? std::min(patience, limit) : never;
    clock_.expires_at(deadline);
    auto [error] = co_await clock_.async_wait(base::quietly);
    if (!error) interrupt(patience <= limit ? Interruption::hang_up : Interruption::too_long);
  }
}

void SimCall::interrupt(Interruption what) {
  if (what <= interruption_) return;
  interruption_ = what;
  if (stream_) {
    bool const by_rest = what == Interruption::new_document || what == Interruption::by_rest;
    stream_->finish(by_rest ? StreamEnd::call_updated : StreamEnd::caller_hung_up);
  }
  bell_.cancel();
  alarm_.cancel();
}

/// False when the call was interrupted.
base::Async<bool> SimCall::pass(Clock::duration how_long) {
  if (interruption_ != Interruption::none) co_return false;
  bell_.expires_after(how_long);
  auto [error] = co_await bell_.async_wait(base::quietly);
  if (error && interruption_ == Interruption::none)
    interrupt(Interruption::shut_down);  // nobody rang: we are cancelled
  co_return interruption_ == Interruption::none;
}

base::Async<> SimCall::interrupted() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (interruption_ == Interruption::none && state.cancelled() == asio::cancellation_type::none) {
    alarm_.expires_at(Clock::time_point::max());
    (void)co_await alarm_.async_wait(base::quietly);
  }
}

void SimCall::press(std::string_view keys) {
  if (stream_) stream_->press(keys);
}

base::Result<> SimCall::update(CallUpdate update) {
  if (is_final(record_.status)) return base::fail(base::Fault::conflict, "call is not in progress");
  bool const unanswered = record_.status != CallStatus::in_progress;
  if (update.status == CallStatus::canceled) {
    if (!unanswered) return base::fail(base::Fault::conflict, "call is in progress");
    journal_.note(EventKind::rest_update, "canceled");
    interrupt(Interruption::canceled);
    return {};
  }
  if (update.status == CallStatus::completed) {
    journal_.note(EventKind::rest_update, "completed");
    interrupt(unanswered ? Interruption::canceled : Interruption::by_rest);
    return {};
  }
  if (unanswered) return base::fail(base::Fault::conflict, "call is not in progress");
  journal_.note(EventKind::rest_update, "new document");
  update_ = std::move(update);
  interrupt(Interruption::new_document);
  return {};
}

void SimCall::conclude() {
  using enum Interruption;
  switch (interruption_) {
    case none:
    case new_document:
      break;
    case hang_up:
      result_.ending = CallEnding::hung_up_by_caller;
      break;
    case by_rest:
      result_.ending = CallEnding::hung_up_by_rest;
      break;
    case canceled:
      result_.ending = CallEnding::not_reached;
      break;
    case too_long:
      result_.ending = CallEnding::too_long;
      break;
    case shut_down:
      result_.ending = CallEnding::abandoned;
      break;
  }
  if (!is_final(record_.status)) {
    if (answered_)
      record_.status = CallStatus::completed;
    else if (interruption_ == canceled)
      record_.status = CallStatus::canceled;
    else if (interruption_ == hang_up)
      record_.status = CallStatus::no_answer;
    else
      record_.status = CallStatus::failed;
  }
  record_.ended = record_.updated = std::chrono::system_clock::now();
  result_.status = record_.status;
  if (answered_) result_.lasted = std::chrono::duration_cast<Millis>(Clock::now() - *answered_);
  journal_.note(EventKind::hung_up, std::string{to_string(result_.ending)});
  if (interruption_ != shut_down) post_progress(record_.status, "completed");
}

/// Rings an outbound call's other end. False when nobody answered.
base::Async<bool> SimCall::reach_callee() {
  record_.status = CallStatus::initiated;
  post_progress(CallStatus::initiated, "initiated");
  record_.status = CallStatus::ringing;
  journal_.note(EventKind::ringing);
  post_progress(CallStatus::ringing, "ringing");
  bool const undisturbed = co_await pass(plan_.callee.ring_for);
  if (!undisturbed) co_return false;
  switch (plan_.callee.answer) {
    case CalleeAnswer::answered:
      answer();
      co_return true;
    case CalleeAnswer::busy:
      record_.status = CallStatus::busy;
      break;
    case CalleeAnswer::no_answer:
      record_.status = CallStatus::no_answer;
      break;
    case CalleeAnswer::failed:
      record_.status = CallStatus::failed;
      break;
  }
  result_.ending = CallEnding::not_reached;
  co_return false;
}

void SimCall::answer() {
  if (answered_) return;
  answered_ = Clock::now();
  record_.started = record_.updated = std::chrono::system_clock::now();
  record_.status = CallStatus::in_progress;
  journal_.note(EventKind::answered);
  post_progress(CallStatus::in_progress, "answered");
  clock_.cancel();
}

net::Form SimCall::params() {
  return standard_params(record_, record_.status);
}

void SimCall::post_progress(CallStatus status, std::string_view event) {
  auto const number = sequence_++;
  if (plan_.direction == Direction::inbound && event != "completed") return;
  auto const& wanted = plan_.status_events;
  if (std::find(wanted.begin(), wanted.end(), event) == wanted.end()) return;
  auto form = standard_params(record_, status);
  form.emplace_back("CallbackSource", "call-progress-events");
  form.emplace_back("SequenceNumber", std::to_string(number));
  form.emplace_back("Timestamp", rfc2822(std::chrono::system_clock::now()));
  if (is_final(status)) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(result_.lasted + 500ms).count();
    form.emplace_back("CallDuration", std::to_string(seconds));
    form.emplace_back("Duration", std::to_string((seconds + 59) / 60));
    auto const sip = status == CallStatus::busy        ? "486"
                     : status == CallStatus::no_answer ? "487"
                     : status == CallStatus::failed    ? "404"
                     : status == CallStatus::canceled  ? "487"
                                                       : "200";
    form.emplace_back("SipResponseCode", sip);
  }
  shuffle(form, random_);
  callbacks_.post(plan_.status_callback_method, plan_.status_callback, std::move(form), std::string{to_string(status)});
}

base::Async<> SimCall::run_documents() {
  std::optional<Page> page;
  Next next = Go{plan_.voice_method, plan_.voice_url, plan_.extra_params};
  Violation violation;
  if (!plan_.twiml.empty()) {
    page = read_page(plan_.voice_url, "POST", plan_.twiml, violation);
    if (!page) {
      journal_.violate(violation.code, violation.what);
      result_.ending = CallEnding::application_error;
      co_return;
    }
  }
  for (int documents = 0; documents < documents_limit; ++documents) {
    if (!page && interruption_ == Interruption::none) page = co_await fetch(std::get<Go>(next));
    if (!page && interruption_ == Interruption::none) {
      result_.ending = CallEnding::application_error;
      co_return;
    }
    if (page && interruption_ == Interruption::none) next = co_await play(*page);
    if (interruption_ == Interruption::new_document) {
      interruption_ = Interruption::none;
      next = Go{update_.method, update_.url, {}};
      // A document handed in by REST has no URL of its own; relative URLs in it refer to the page before.
      auto const base = page ? page->url : plan_.voice_url;
      page.reset();
      if (update_.twiml.empty()) continue;
      page = read_page(base, "POST", update_.twiml, violation);
      if (page) continue;
      journal_.violate(violation.code, violation.what);
      result_.ending = CallEnding::application_error;
      co_return;
    }
    if (interruption_ != Interruption::none || !std::holds_alternative<Go>(next)) co_return;
    page.reset();
  }
  journal_.violate(12400, "the call was redirected without end");
  result_.ending = CallEnding::application_error;
}

}  // namespace sim::twilio
