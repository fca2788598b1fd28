// The half of a call that deals with its agent: its conversations.
#include "gateway/base/zone.h"
#include "gateway/call/call.h"
#include "gateway/call/tools.h"

namespace gateway {
namespace {

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
  // The vendor's own (system__time, …) may not be set, and tell the time of its clocks.
  auto const wall = services_.time.wall();
  auto const local = base::local_time(wall, plan_.route->tenant_timezone);
  auto const now = local ? *local : base::utc_time(wall);
  variables["current_time"] = base::iso8601(now);
  variables["current_date"] = base::date_in_words(now);
  variables["timezone"] = local ? plan_.route->tenant_timezone : "UTC";
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
    if (!context.empty()) resume_note_ += "\nWhat was said and heard so far:\n" + context;
    if (auto const done = done_so_far(); !done.empty()) resume_note_ += "\nWhat your tools have done so far:\n" + done;
    agent_->tell("resume", resume_note_);
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
  // Last words are over when they have been heard, an appointment is confirmed; for anything else a later save is soon
  // enough.
  if (wish_ != Wish::none || !read_backs_.empty()) bell_.ring();
}

void Call::on_event(std::string_view kind, std::string detail_json) {
  note(kind, std::move(detail_json));
  bell_.ring();
}

}  // namespace gateway
