// The half of a call that deals with its agent: conversations, tools, the transfer to a person.
#include "gateway/call/call.h"
#include "gateway/call/tools.h"

namespace gateway {
namespace {

using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto announcement_limit = seconds{5};
constexpr std::size_t context_bytes = 8000;  // of what was heard, told to a conversation that takes over

std::string_view to_string(AgentLegEnd::Kind kind) {
  switch (kind) {
    case AgentLegEnd::Kind::finished:
      return "finished";
    case AgentLegEnd::Kind::closed:
      return "closed";
    case AgentLegEnd::Kind::refused:
      return "refused";
    case AgentLegEnd::Kind::quota:
      return "quota";
    case AgentLegEnd::Kind::lost:
      return "lost";
    case AgentLegEnd::Kind::unusable:
      return "unusable";
  }
  return "unknown";
}

}  // namespace

void Call::start_agent(std::string note_text) {
  attempts_ = 0;
  resume_note_ = std::move(note_text);
  agent_wanted_ = true;
  if (agent_running_) return;
  agent_running_ = true;
  tasks_.spawn(agent_loop());
}

AgentRequest Call::agent_request(std::string contact_name) const {
  auto const& agent = plan_.route->agent;
  AgentRequest request;
  request.agent_id = agent.elevenlabs_agent_id;
  for (auto const& [name, value] : agent.dynamic_variables) request.dynamic_variables[name] = value;
  auto& variables = request.dynamic_variables;
  variables["caller_id"] = plan_.person();
  variables["called_number"] = plan_.our_number();
  variables["call_sid"] = plan_.sid.text();
  variables["call_id"] = plan_.id.text();
  variables["tenant_name"] = plan_.route->tenant_name;
  variables["direction"] = std::string{crm::to_string(plan_.direction)};
  variables["contact_known"] = !contact_name.empty();
  variables["contact_name"] = std::move(contact_name);
  request.first_message = agent.first_message;
  request.language = agent.language;
  return request;
}

base::Async<> Call::agent_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string contact;
  if (services_.known_contact) contact = co_await services_.known_contact(plan_.route->tenant, plan_.person());
  while (agent_wanted_) {
    ++attempts_;
    ++conversations_;
    auto leg = services_.agents.make_leg(agent_request(contact));
    agent_ = leg.get();
    bridge_.attach_agent(*leg);
    auto const end = co_await leg->run(bridge_);
    bridge_.detach_agent(end.kind == AgentLegEnd::Kind::lost);
    while (closing_agent_) {
      (void)co_await agent_closed_.wait();
      co_await asio::this_coro::reset_cancellation_state();  // a cancelled wait would not wait
    }
    agent_ = nullptr;
    note("agent_left", "why", to_string(end.kind));
    log_.info("agent left", {{"why", to_string(end.kind)}, {"code", end.code}, {"detail", end.detail}});
    if (!agent_wanted_ || !try_again_after(end)) break;
    services_.metrics.reconnects.Increment();
    if (resume_note_.empty())
      resume_note_ =
          "The connection broke and you are speaking with the same caller again. Go on where you stopped; do not greet "
          "again.";
  }
  agent_running_ = false;
  bell_.ring();
}

/// False when the conversation is over for good; the wish then says how.
bool Call::try_again_after(AgentLegEnd const& end) {
  bool const may = attempts_ < services_.settings.agent_attempts && wish_ == Wish::none;
  switch (end.kind) {
    case AgentLegEnd::Kind::finished:
      wish(Wish::hang_up, Ending::agent_hung_up);
      return false;
    case AgentLegEnd::Kind::closed:  // by us, for it was silent or no longer wanted; meanwhile one is wanted again
    case AgentLegEnd::Kind::lost:
      if (may) return true;
      wish(Wish::fall_back, Ending::apologised);
      return false;
    case AgentLegEnd::Kind::refused:
    case AgentLegEnd::Kind::quota:
    case AgentLegEnd::Kind::unusable:
      log_.error("agent cannot be used", {{"why", to_string(end.kind)}, {"code", end.code}, {"detail", end.detail}});
      wish(Wish::fall_back, Ending::apologised);
      return false;
  }
  return false;
}

base::Async<> Call::stop_agent() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!agent_ || closing_agent_) co_return;
  closing_agent_ = true;
  co_await agent_->close();
  closing_agent_ = false;
  agent_closed_.ring();
}

/// The agent must not go on costing money. Should the carrier ask for more after all, a new conversation picks up.
void Call::dismiss_agent() {
  agent_wanted_ = false;
  tasks_.spawn(stop_agent());
}

void Call::on_agent_accepted(AgentReady const& ready) {
  record_.conversation_id = ready.conversation_id;
  note("agent_ready", "conversation_id", ready.conversation_id);
  if (!resume_note_.empty() && agent_) {
    auto const context = heard_context(all_turns(caller_ ? Heard::soon : Heard::proven), context_bytes);
    agent_->tell("resume",
                 context.empty() ? resume_note_ : resume_note_ + "\nWhat was said and heard so far:\n" + context);
    resume_note_.clear();
  }
  bell_.ring();
}

void Call::on_agent_goodbye() {
  wish(Wish::hang_up, Ending::agent_hung_up);
}

void Call::on_dead_air() {
  note("dead_air");
  log_.warning("dead air", {{"conversations", conversations_}});
  bool const had_a_conversation = record_.conversation_id.has_value();
  if (agent_ && had_a_conversation && attempts_ < services_.settings.agent_attempts) {
    tasks_.spawn(stop_agent());
    return;
  }
  wish(Wish::fall_back, Ending::apologised);
}

void Call::on_turn_changed() {
  changed_ = true;
  bell_.ring();
}

void Call::on_heard() {
  heard_more_ = true;
  // Last words are over when they have been heard; for anybody else a later save is soon enough.
  if (wish_ != Wish::none) bell_.ring();
}

void Call::on_event(std::string_view kind, std::string detail_json) {
  note(kind, std::move(detail_json));
  bell_.ring();
}

// ---- tools

void Call::on_tool(ToolCall const& call) {
  if (tools_running_ >= 8) {
    answer_tool(call, conversations_, tool_failure("too_many_tools", "Wait for the running ones."), true);
    return;
  }
  ++tools_running_;
  bridge_.tool_pending(true);
  tasks_.spawn(tool(call, conversations_));
}

base::Async<> Call::tool(ToolCall call, int conversation) {
  note("tool_called", "tool", call.name);
  if (call.name == tool_end_call) {
    answer_tool(call, conversation, tool_success("The call ends after your last words."), false);
    wish(Wish::hang_up, Ending::agent_hung_up);
  } else if (call.name == tool_transfer) {
    co_await transfer(call, conversation);
  } else {
    answer_tool(call, conversation, tool_failure("unknown_tool", "This tool does not exist here."), true);
  }
  --tools_running_;
  bridge_.tool_pending(tools_running_ > 0);
}

/// Only the conversation that asked knows what the answer is about.
void Call::answer_tool(ToolCall const& call, int conversation, std::string const& result, bool is_error) {
  if (agent_ && conversation == conversations_) agent_->answer_tool(call.id, result, is_error);
}

/// "I will connect you" comes much faster than it is spoken, and the carrier drops what it has not played when the line
/// changes hands.
base::Async<> Call::let_agent_finish_speaking() {
  auto const limit = services_.time.now() + announcement_limit;
  while (caller_ && !terminal_ && !stopping_ && !bridge_.is_drained() && services_.time.now() < limit) {
    auto const waited = co_await services_.time.wait(media::frame_duration);
    if (!waited) co_return;
  }
}

base::Async<> Call::transfer(ToolCall const& call, int conversation) {
  auto const target = transfer_target(call.parameters_json, plan_.route->agent);
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
    answer_tool(call, conversation, tool_failure(reason, "The transfer did not work; offer to take a message."), true);
    co_return;
  }
  note("transferred");
  answer_tool(call, conversation, tool_success("The caller is being connected."), false);
  // The person may have been busy before we heard that they are being dialled: then the carrier has come back already.
  if (!transferring_) co_return;
  // An agent that takes its leave meanwhile does not hang up on the person.
  wish_ = Wish::hand_over;
  ending_ = Ending::transferred;
}

}  // namespace gateway
