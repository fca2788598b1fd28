// What a call does for its agent: tools, the transfer to a person, appointments that must be heard.
#include <algorithm>

#include "crm/desk/answers.h"
#include "crm/pg/storable_text.h"
#include "gateway/call/call.h"
#include "gateway/call/tool_table.h"
#include "gateway/call/tools.h"

namespace gateway {
namespace {

using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto announcement_limit = seconds{5};
constexpr int most_tools_at_once = 8;
constexpr std::size_t most_tool_calls = 200;  // in a record; an agent that is stuck must not fill the database
constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_tool_call_id = 128;
constexpr std::size_t done_bytes = 2000;  // of what tools have done, told to a conversation that takes over
// The desk answers in time by itself; this is for one that does not.
constexpr auto desk_grace = milliseconds{250};
constexpr auto confirm_limit = seconds{2};
constexpr auto confirm_again_after = seconds{5};
constexpr int most_confirmations = 3;
constexpr auto leave_limit = milliseconds{1000};
constexpr auto read_back_limit = std::chrono::minutes{2};  // who speaks of it later speaks of something else
constexpr auto turn_pause = milliseconds{1500};            // longer, and the agent's turn is over

std::string storable(std::string const& text, std::size_t most_bytes) {
  return crm::pg::storable_text(std::string_view{text}.substr(0, most_bytes));
}

}  // namespace

void Call::on_tool(ToolCall const& call) {
  ToolRun run{call, conversations_, "{}", since_start()};
  if (tools_running_ >= most_tools_at_once) {
    answer_tool(run, tool_failure("too_many_tools", "Wait for the running ones."), true);
    return;
  }
  ++tools_running_;
  bridge_.tool_pending(true);
  tasks_.spawn(tool(std::move(run)));
}

base::Async<> Call::tool(ToolRun run) {
  // A caller who hangs up cancels what runs; how it ended belongs to the record all the same.
  co_await asio::this_coro::throw_if_cancelled(false);
  note("tool_called", "tool", storable(run.call.name, longest_name));
  auto const* const known = find_tool(run.call.name);
  if (run.call.name == tool_end_call) {
    answer_tool(run, tool_success("The call ends after your last words."), false);
    wish(Wish::hang_up, Ending::agent_hung_up);
  } else if (run.call.name == tool_transfer) {
    co_await transfer(run);
  } else if (known && services_.desk) {
    co_await ask_desk(run, *known);
  } else {
    answer_tool(run, tool_failure("unknown_tool", "This tool does not exist here."), true);
  }
  --tools_running_;
  bridge_.tool_pending(tools_running_ > 0);
}

std::int64_t Call::since_start() const {
  return std::chrono::duration_cast<milliseconds>(services_.time.wall() - record_.started_at).count();
}

/// Only the conversation that asked knows what the answer is about; the record keeps it in any case.
void Call::answer_tool(ToolRun const& run, std::string const& result, bool is_error) {
  if (agent_ && run.conversation == conversations_) agent_->answer_tool(run.call.id, result, is_error);
  if (record_.tool_calls.size() >= most_tool_calls) return;
  record_.tool_calls.push_back({storable(run.call.id, longest_tool_call_id), storable(run.call.name, longest_name),
                                run.parameters_json, result, is_error, run.started_ms, since_start() - run.started_ms});
  changed_ = true;
  bell_.ring();
}

/// A conversation that takes over must not book again what its predecessor has booked.
std::string Call::done_so_far() const {
  std::string done;
  for (auto const& call : record_.tool_calls) {
    if (call.is_error || call.name == tool_end_call || call.name == tool_transfer) continue;
    auto const line = call.name + ": " + call.result_json + "\n";
    if (done.size() + line.size() <= done_bytes) done += line;
  }
  return done;
}

// ---- the desk

crm::DeskCaller Call::desk_caller() const {
  return {record_.tenant, record_.id, plan_.person(), plan_.our_number()};
}

base::Async<> Call::ask_desk(ToolRun& run, Tool const& known) {
  auto checked = check_parameters(known, run.call.parameters_json);
  if (!checked) {
    answer_tool(run, tool_failure("invalid_parameters", checked.error().detail), true);
    co_return;
  }
  run.parameters_json = *checked;
  desk_was_asked_ = true;
  auto const deadline = services_.time.now() + std::min(known.deadline, services_.settings.tool_limit);
  crm::DeskRequest request{run.call.name, run.call.id, *std::move(checked)};
  auto outcome = co_await (services_.desk->handle(desk_caller(), std::move(request), deadline) ||
                           services_.time.wait_until(deadline + desk_grace));
  bool const in_time = outcome.index() == 0;
  auto answer = in_time ? std::get<0>(std::move(outcome)) : crm::unavailable(known.name);
  if (!in_time) log_.warning("desk did not answer in time", {{"tool", known.name}});
  // Before the agent hears of it: what it says from here on may be the read-back.
  if (answer.to_read_back) await_read_back(*std::move(answer.to_read_back));
  answer_tool(run, answer.json, answer.is_error);
}

void Call::await_read_back(std::string appointment) {
  std::erase_if(read_backs_, [&](auto const& one) { return one.said.appointment() == appointment; });
  read_backs_.push_back({ReadBack{std::move(appointment), bridge_.transcript().snapshot(bridge_.playout())},
                         services_.time.now() + read_back_limit});
}

/// Notes which appointments the caller has heard by now, and has them confirmed.
void Call::look_for_read_backs() {
  if (read_backs_.empty()) return;
  auto const now = services_.time.now();
  bool const agent_goes_on = bridge_.is_in_agent_turn() && now - bridge_.last_agent_audio() < turn_pause;
  auto const turns = bridge_.transcript().snapshot(bridge_.playout());
  for (auto& one : read_backs_) one.heard = one.heard || one.said.is_heard(turns, agent_goes_on);
  std::erase_if(read_backs_, [now](auto const& one) { return !one.heard && now >= one.expires; });
  bool const any = std::ranges::any_of(read_backs_, &AwaitedReadBack::heard);
  if (!any || confirming_ || now < confirm_after_) return;
  confirming_ = true;
  tasks_.spawn(confirm_heard(now + confirm_limit));
}

base::Async<> Call::confirm_heard(base::Instant deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    auto const heard = std::ranges::find_if(read_backs_, &AwaitedReadBack::heard);
    if (heard == read_backs_.end()) break;
    auto const appointment = heard->said.appointment();
    auto const outcome = co_await (services_.desk->confirm(desk_caller(), appointment, deadline) ||
                                   services_.time.wait_until(deadline + desk_grace));
    bool const confirmed = outcome.index() == 0 && std::get<0>(outcome);
    // Others may have come and gone meanwhile.
    auto const same = std::ranges::find_if(
        read_backs_, [&](auto const& one) { return one.said.appointment() == appointment && one.heard; });
    if (confirmed) note("appointment_confirmed", "appointment_id", appointment);
    if (same != read_backs_.end() && (confirmed || ++same->tries >= most_confirmations)) read_backs_.erase(same);
    if (confirmed) continue;
    log_.warning("appointment could not be confirmed", {{"appointment", appointment}});
    confirm_after_ = services_.time.now() + confirm_again_after;
    break;
  }
  confirming_ = false;
  bell_.ring();
}

/// The call is over: what was heard at its very end still counts, what was only held is free.
base::Async<> Call::leave_desk() {
  if (!services_.desk || !desk_was_asked_) co_return;
  auto const turns = bridge_.transcript().snapshot(bridge_.playout());
  for (auto& one : read_backs_) one.heard = one.heard || one.said.is_heard(turns, /*agent_goes_on=*/false);
  auto const deadline = services_.time.now() + leave_limit;
  co_await confirm_heard(deadline);
  (void)co_await (services_.desk->release_holds(desk_caller(), deadline) ||
                  services_.time.wait_until(deadline + desk_grace));
}

// ---- the transfer

/// "I will connect you" comes much faster than it is spoken, and the carrier drops what it has not played when the line
/// changes hands.
base::Async<> Call::let_agent_finish_speaking() {
  auto const limit = services_.time.now() + announcement_limit;
  while (caller_ && !terminal_ && !stopping_ && !bridge_.is_drained() && services_.time.now() < limit) {
    auto const waited = co_await services_.time.wait(media::frame_duration);
    if (!waited) co_return;
  }
}

base::Async<> Call::transfer(ToolRun& run) {
  auto const target = transfer_target(run.call.parameters_json, plan_.route->agent);
  if (target) run.parameters_json = R"({"transfer_number":")" + *target + "\"}";
  base::Result<> done = base::fail(base::Fault::conflict, "no stream, or on its way out");
  if (!target) {
    done = std::unexpected{target.error()};
  } else if (caller_ && !transfer_asked_ && wish_ == Wish::none && !terminal_) {
    transfer_asked_ = true;
    co_await let_agent_finish_speaking();
    if (caller_ && !terminal_ && !stopping_) {
      // Before the update: the carrier may ask what to do next while our request is still under way.
      transferring_ = true;
      carrier_is_busy_ = true;
      auto const deadline = services_.time.now() + services_.settings.tool_limit;
      auto outcome = co_await (services_.carrier.transfer(plan_.at_carrier(), *target, plan_.our_number()) ||
                               services_.time.wait_until(deadline));
      if (outcome.index() == 0)
        done = std::get<0>(outcome);
      else
        done = base::fail(base::Fault::timed_out, "carrier did not answer in time");
    }
    transfer_asked_ = false;
    bell_.ring();
    // Without an answer it may have been done all the same.
    bool const refused = !done && done.error().fault != base::Fault::timed_out;
    if (refused) transferring_ = carrier_is_busy_ = false;
  }
  if (!done) {
    auto const reason = transfer_failure_reason(done.error().fault);
    note("transfer_failed", "reason", reason);
    answer_tool(run, tool_failure(reason, "The transfer did not work; offer to take a message."), true);
    co_return;
  }
  note("transferred");
  answer_tool(run, tool_success("The caller is being connected."), false);
  // The person may have been busy before we heard that they are being dialled: then the carrier has come back already.
  if (!transferring_) co_return;
  // An agent that takes its leave meanwhile does not hang up on the person.
  wish_ = Wish::hand_over;
  ending_ = Ending::transferred;
}

}  // namespace gateway
