#include "gateway/call/call.h"

#include <algorithm>

namespace gateway {
namespace {

using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto checkpoint_every = seconds{1};
/// While the caller only listens: the longer it goes on, the rarer, or a mark a second would be a transaction a second.
constexpr auto rarest_checkpoint_every = seconds{16};
constexpr auto goodbye_quiet = milliseconds{1500};
constexpr auto after_stop = milliseconds{2000};  // a carrier that has more to say about the call says it by then
constexpr std::size_t most_events = 500;
constexpr int most_unanswered_questions = 3;
// A dialled person or a voice message takes its time, and must survive some minutes without the carrier's API.
constexpr auto busy_carrier_patience = seconds{30};
constexpr int most_unanswered_questions_when_busy = 10;

std::string_view to_string(CallerLegEnd end) {
  switch (end) {
    case CallerLegEnd::stopped:
      return "stopped";
    case CallerLegEnd::closed:
      return "closed";
    case CallerLegEnd::lost:
      return "lost";
    case CallerLegEnd::protocol:
      return "protocol";
  }
  return "unknown";
}

std::string_view to_string(DialEnd end) {
  switch (end) {
    case DialEnd::completed:
      return "completed";
    case DialEnd::busy:
      return "busy";
    case DialEnd::no_answer:
      return "no_answer";
    case DialEnd::failed:
      return "failed";
    case DialEnd::canceled:
      return "canceled";
  }
  return "unknown";
}

}  // namespace

CallMetrics::CallMetrics(base::Metrics& metrics)
    : all{metrics},
      live{metrics.gauge("switchboard_calls_live", "Calls being served.")},
      reconnects{
          metrics.counter("switchboard_agent_reconnects_total", "Conversations opened anew in the middle of a call.")},
      bridge{metrics} {}

prometheus::Counter& CallMetrics::ended(Ending ending) {
  return all.counter("switchboard_calls_ended_total", "Calls by ending.", {{"ending", std::string{to_string(ending)}}});
}

Call::Call(CallPlan plan, CallServices& services, asio::any_io_executor executor)
    : plan_{std::move(plan)},
      services_{services},
      log_{services.log.with({{"call", plan_.id.text()}, {"call_sid", plan_.sid.text()}})},
      bridge_{services.settings.bridge, services.time, services.metrics.bridge, *this},
      tasks_{executor, [this](std::string const& what) { log_.error("call task crashed", {{"error", what}}); }},
      bell_{executor},
      caller_closed_{executor},
      agent_closed_{executor},
      caller_gone_{executor} {
  record_.id = plan_.id;
  record_.tenant = plan_.route->tenant;
  record_.agent = plan_.route->agent.id;
  record_.call_sid = plan_.sid;
  record_.account_sid = plan_.account;
  record_.direction = plan_.direction;
  record_.from = plan_.from;
  record_.to = plan_.to;
  record_.status = crm::CallStatus::in_progress;  // answering the webhook with TwiML answers the call
  record_.node = services.settings.node;
  record_.node_epoch = services.settings.epoch;
  record_.started_at = services.time.wall();
  record_.answered_at = record_.started_at;
  // Wall time, so that a process which takes a call over always writes newer snapshots than the one that died.
  record_.version = std::chrono::duration_cast<milliseconds>(record_.started_at.time_since_epoch()).count();
  if (plan_.earlier) {
    record_.id = plan_.earlier->id;
    began_after_ = std::chrono::duration_cast<milliseconds>(record_.started_at - plan_.earlier->started_at);
    record_.started_at = plan_.earlier->started_at;
    record_.answered_at = plan_.earlier->answered_at;
    record_.stream_count = plan_.earlier->stream_count;
    record_.resumed = plan_.earlier->resumed + 1;
    record_.events = plan_.earlier->events;
    record_.tool_calls = plan_.earlier->tool_calls;
    desk_was_asked_ = !record_.tool_calls.empty();
  }
  if (plan_.route->agent.record) {
    // A call that is taken over goes on in a file of its own: what its first process wrote stays.
    auto const part = plan_.earlier ? "." + std::to_string(record_.resumed) : std::string{};
    recording_ = services.recordings.start(plan_.id.text() + part);
    if (plan_.earlier) record_.recording_path = plan_.earlier->recording_path;
    if (!record_.recording_path) record_.recording_path = recording_->path();
    bridge_.record_to(recording_.get());
  }
}

Call::~Call() = default;

base::Async<> Call::run() {
  services_.metrics.live.Increment();
  services_.metronome.join(bridge_);
  note(plan_.earlier ? "taken_over" : "answered");
  if (plan_.earlier && recording_) note("recording_continues", "path", recording_->path());
  log_.info("call began", {{"direction", crm::to_string(plan_.direction)},
                           {"from", base::masked_phone(plan_.from)},
                           {"tenant", plan_.route->tenant.text()},
                           {"taken_over", plan_.earlier.has_value()}});
  save();
  start_agent(plan_.earlier ? "The line broke for a moment and you are speaking with the same caller again." : "");
  ends_by_ = services_.time.now() +
             std::min<milliseconds>(plan_.route->agent.max_duration, services_.settings.longest) - began_after_;
  co_await live();
  agent_wanted_ = false;
  co_await stop_agent();
  // A booking under way is worth waiting for: the record then knows how it ended.
  co_await tasks_.drain(services_.time, tools_running_ > 0 ? seconds{2} : milliseconds{500});
  co_await leave_desk();
  services_.metronome.leave(bridge_);
  bridge_.record_to(nullptr);
  recording_.reset();
  close_record();
  services_.metrics.live.Decrement();
  over_ = true;
}

// ---- the caller's end

base::Async<base::Result<>> Call::serve(CallerLeg& leg) {
  if (caller_ && caller_is_replaced_ && !next_caller_waits_) {
    next_caller_waits_ = true;
    bool rung = true;
    while (caller_ && rung) rung = co_await caller_gone_.wait();
    next_caller_waits_ = false;
  }
  if (caller_) co_return base::fail(base::Fault::conflict, "the call has a stream already");
  if (terminal_ || over_) co_return base::fail(base::Fault::not_found, "the call is over");
  caller_ = &leg;
  caller_is_replaced_ = false;
  ++record_.stream_count;
  unanswered_questions_ = 0;
  carrier_is_busy_ = transferring_ = false;
  note("stream_started");
  bridge_.attach_caller(leg);
  bell_.ring();
  auto const end = co_await leg.run(bridge_);
  bridge_.detach_caller();
  while (closing_caller_) {
    (void)co_await caller_closed_.wait();
    co_await asio::this_coro::reset_cancellation_state();  // a cancelled wait would not wait
  }
  caller_ = nullptr;
  stream_end_ = end;
  note("stream_ended", "how", to_string(end));
  log_.info("stream ended", {{"how", to_string(end)}});
  // Gone with a `stop`: the caller has hung up, as a rule.
  bool const stopped = end == CallerLegEnd::stopped;
  if (!caller_is_replaced_) {
    next_word_due_ = services_.time.now() + (stopped ? after_stop : services_.settings.next_word);
    if (stopped || wish_ != Wish::none) dismiss_agent();
  }
  caller_gone_.ring();
  bell_.ring();
  co_return base::Result<>{};
}

base::Async<> Call::close_caller() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!caller_ || closing_caller_) co_return;
  closing_caller_ = true;
  co_await caller_->close();
  closing_caller_ = false;
  caller_closed_.ring();
}

/// Waits for news or for the deadline. Cancelled, it makes the call come to its end instead of waiting on.
base::Async<> Call::ring_or(base::Instant deadline) {
  auto state = co_await asio::this_coro::cancellation_state;
  // A cancellation that came before would not be felt by the wait.
  if (state.cancelled() == asio::cancellation_type::none) (void)co_await bell_.wait_until(services_.time, deadline);
  if (state.cancelled() == asio::cancellation_type::none) co_return;
  stopping_ = true;
  if (!terminal_) terminal_ = crm::CallStatus::completed;
  co_await asio::this_coro::reset_cancellation_state();
}

base::Async<> Call::live() {
  co_await asio::this_coro::throw_if_cancelled(false);
  next_word_due_ = services_.time.now() + services_.settings.stream_wait;
  while (!terminal_) {
    if (caller_)
      co_await conversation();
    else if (services_.time.now() >= next_word_due_ || stopping_)
      co_await ask_carrier();
    else
      co_await ring_or(next_word_due_);
    if (changed_) save();
  }
  co_await close_caller();
  while (caller_) co_await ring_or(base::Instant::max());
}

base::Async<> Call::conversation() {
  while (caller_ && !terminal_) {
    if (wish_ != Wish::none && !transfer_asked_) {
      co_await act_on_wish();
      continue;
    }
    auto const now = services_.time.now();
    if (now >= ends_by_ && wish_ == Wish::none) {
      wish(Wish::hang_up, Ending::too_long);
      continue;
    }
    look_for_read_backs();
    if (changed_) listening_pause_ = checkpoint_every;
    if (now - saved_at_ >= listening_pause_) checkpoint();
    auto const due = wish_ == Wish::none ? ends_by_ : base::Instant::max();
    auto look_again = saved_at_ + listening_pause_;
    if (!read_backs_.empty()) look_again = std::min<base::Instant>(look_again, now + checkpoint_every);
    co_await ring_or(std::min<base::Instant>(due, look_again));
  }
}

/// Ends the stream the way the wish asks for. Returns when the stream is gone.
base::Async<> Call::act_on_wish() {
  bridge_.wind_down();
  if (wish_ == Wish::hang_up) {
    co_await last_words();
    if (!caller_ || terminal_) co_return;
    auto const hung_up = co_await services_.carrier.hang_up(plan_.at_carrier());
    if (!hung_up) log_.warning("carrier did not hang up", {{"fault", base::to_string(hung_up.error().fault)}});
    // The carrier ends the stream itself; if it could not be told, closing makes it ask, and it then hears "hang up".
    auto const limit = services_.time.now() + (hung_up ? milliseconds{2000} : milliseconds{0});
    while (caller_ && !terminal_ && services_.time.now() < limit) co_await ring_or(limit);
  }
  co_await close_caller();
  while (caller_) co_await ring_or(base::Instant::max());
}

/// The agent announces the end before, during or after its goodbye, and may leave seconds of it unplayed: the goodbye
/// is over when the agent is gone, or has been quiet for a while, and the carrier has confirmed the last mark.
base::Async<> Call::last_words() {
  auto const begun = services_.time.now();
  auto const limit = begun + (stopping_ ? milliseconds{1000} : services_.settings.goodbye_limit);
  while (caller_ && !terminal_ && services_.time.now() < limit) {
    auto const quiet_at = std::max(begun, bridge_.last_agent_audio()) + goodbye_quiet;
    bool const agent_done = !agent_ || services_.time.now() >= quiet_at;
    if (agent_done) {
      bridge_.end_agent_turn();
      if (bridge_.is_drained()) co_return;
    }
    co_await ring_or(agent_done ? limit : std::min(limit, quiet_at));
  }
}

/// Nobody has told us how the call goes on: ask, and hang up what nobody serves.
base::Async<> Call::ask_carrier() {
  auto facts = co_await services_.carrier.look_up(plan_.at_carrier());
  if (terminal_ || caller_) co_return;
  if (facts && crm::is_terminal(facts->status)) {
    on_status(facts->status, facts->duration);
    co_return;
  }
  if (!facts && facts.error().fault == base::Fault::not_found) {
    terminal_ = crm::CallStatus::completed;
    co_return;
  }
  if (carrier_is_busy_ && stopping_) {
    // A person talks with the caller, or a message is being spoken: nobody needs us for that.
    terminal_ = crm::CallStatus::completed;
    co_return;
  }
  if (facts && carrier_is_busy_)
    unanswered_questions_ = 0;
  else
    ++unanswered_questions_;
  auto const most = carrier_is_busy_ ? most_unanswered_questions_when_busy : most_unanswered_questions;
  if (unanswered_questions_ < most && !stopping_) {
    next_word_due_ =
        services_.time.now() + (carrier_is_busy_ ? busy_carrier_patience : services_.settings.next_word / 3);
    co_return;
  }
  if (!ending_)
    ending_ = record_.stream_count == 0              ? Ending::stream_never_came
              : stopping_                            ? Ending::shut_down
              : stream_end_ == CallerLegEnd::stopped ? Ending::caller_hung_up
                                                     : Ending::stream_lost;
  auto hung_up = co_await services_.carrier.hang_up(plan_.at_carrier());
  if (!hung_up) log_.warning("carrier did not hang up", {{"fault", base::to_string(hung_up.error().fault)}});
  if (!terminal_) terminal_ = crm::CallStatus::completed;
}

// ---- what the carrier asks and says

NextStep Call::stream_again() {
  next_word_due_ = services_.time.now() + services_.settings.stream_wait;
  if (!agent_running_ || !agent_wanted_) {
    start_agent(resume_note_.empty() ? "You are speaking with the same caller again. Do not greet again."
                                     : resume_note_);
  }
  return {NextStep::Do::stream, {}};
}

void Call::carrier_goes_on() {
  next_word_due_ = services_.time.now() + services_.settings.next_word;
  bell_.ring();
  if (!caller_ || caller_is_replaced_) return;
  // It is through with the stream; that our end still stands means that its loss has not been noticed here.
  caller_is_replaced_ = true;
  tasks_.spawn(close_caller());
}

NextStep Call::next_step() {
  carrier_goes_on();
  if (over_ || terminal_ || stopping_) return {NextStep::Do::hang_up, {}};
  if (wish_ == Wish::fall_back) return fallback_step();
  if (wish_ != Wish::none) return {NextStep::Do::hang_up, {}};
  if (record_.stream_count >= services_.settings.streams) {
    wish(Wish::fall_back, Ending::stream_lost);
    return fallback_step();
  }
  note("resumed");
  ++record_.resumed;
  return stream_again();
}

NextStep Call::fallback_step() {
  auto const& agent = plan_.route->agent;
  dismiss_agent();
  note("fallback", "kind", crm::to_string(agent.fallback));
  save();
  switch (agent.fallback) {
    case crm::FallbackKind::forward:
      if (!agent.fallback_number) break;
      carrier_is_busy_ = true;
      ending_ = Ending::forwarded;
      return {NextStep::Do::forward, *agent.fallback_number};
    case crm::FallbackKind::voicemail:
      return voicemail_step();
    case crm::FallbackKind::apology:
      break;
  }
  return {NextStep::Do::apologise, {}};
}

NextStep Call::voicemail_step() {
  carrier_is_busy_ = true;
  ending_ = Ending::took_voicemail;
  return {NextStep::Do::voicemail, {}};
}

NextStep Call::after_dial(DialEnd end) {
  carrier_goes_on();
  carrier_is_busy_ = false;
  note("person_left", "how", to_string(end));
  if (over_ || terminal_ || stopping_ || end == DialEnd::completed) return {NextStep::Do::hang_up, {}};
  // The fallback's person is not there: the caller may at least leave word.
  if (!transferring_) return voicemail_step();
  transferring_ = false;
  wish_ = Wish::none;
  ending_.reset();
  resume_note_ = "The transfer did not come about (" + std::string{to_string(end)} +
                 "). Tell the caller and offer to take a message. Do not greet again.";
  return stream_again();
}

NextStep Call::after_voicemail() {
  carrier_goes_on();
  carrier_is_busy_ = false;
  note("voicemail_taken");
  return {NextStep::Do::hang_up, {}};
}

void Call::on_status(crm::CallStatus status, std::optional<seconds>) {
  if (terminal_ || !crm::is_terminal(status)) return;
  terminal_ = status;
  bell_.ring();
}

void Call::shut_down() {
  stopping_ = true;
  bell_.ring();
  wish(Wish::hang_up, Ending::shut_down);
}

void Call::wish(Wish what, Ending ending) {
  if (wish_ != Wish::none) return;
  wish_ = what;
  if (what != Wish::fall_back)
    ending_ = ending;
  else if (!ending_)
    ending_ = ending;
  bell_.ring();
}

// ---- the record

void Call::note(std::string_view kind, std::string detail_json) {
  // A caller who drums on the keys must not fill the database; how it ended is worth a line all the same.
  if (record_.events.size() >= most_events && kind != "ended") return;
  record_.events.push_back({services_.time.wall(), std::string{kind}, std::move(detail_json)});
  changed_ = true;
}

void Call::note(std::string_view kind, std::string_view key, std::string_view value) {
  std::string json = "{";
  base::append_json_string(json, key);
  json += ':';
  base::append_json_string(json, value);
  note(kind, json + "}");
}

std::vector<crm::CallTurn> Call::all_turns(Heard heard) const {
  auto turns = bridge_.transcript().snapshot(bridge_.playout(), heard);
  if (!plan_.earlier) return turns;
  for (auto& turn : turns) turn.started_ms += began_after_.count();
  turns.insert(turns.begin(), plan_.earlier->turns.begin(), plan_.earlier->turns.end());
  return turns;
}

/// Saves what is new, and otherwise only looks at the clock.
void Call::checkpoint() {
  if (!changed_) listening_pause_ = std::min<milliseconds>(2 * listening_pause_, rarest_checkpoint_every);
  if (changed_ || heard_more_)
    save();
  else
    saved_at_ = services_.time.now();
}

void Call::save() {
  changed_ = heard_more_ = false;
  saved_at_ = services_.time.now();
  ++record_.version;
  record_.turns = all_turns();
  services_.records.save(record_);
}

void Call::close_record() {
  auto const status = terminal_.value_or(crm::CallStatus::completed);
  if (!ending_) ending_ = status == crm::CallStatus::completed ? Ending::caller_hung_up : Ending::never_answered;
  record_.status = status;
  record_.ended_at = services_.time.wall();
  record_.duration_ms = std::chrono::duration_cast<milliseconds>(*record_.ended_at - record_.started_at).count();
  record_.ending = std::string{gateway::to_string(*ending_)};
  record_.blame = blame(*ending_);
  note("ended", "ending", gateway::to_string(*ending_));
  services_.metrics.ended(*ending_).Increment();
  log_.info("call ended", {{"ending", gateway::to_string(*ending_)},
                           {"status", crm::to_string(status)},
                           {"ms", *record_.duration_ms},
                           {"turns", all_turns().size()}});
  save();
}

}  // namespace gateway
