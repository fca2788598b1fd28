#include "gateway/call/read_back.h"

#include <algorithm>

namespace gateway {
namespace {

constexpr std::int64_t padding_ms = 20;  // the last frame of a turn is padded

std::size_t digits_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }));
}

bool was_heard_whole(crm::CallTurn const& turn) {
  return !turn.interrupted && turn.heard == turn.said &&
         turn.heard_ms.value_or(0) + padding_ms >= turn.generated_ms.value_or(0);
}

std::vector<crm::CallTurn const*> agent_turns(std::vector<crm::CallTurn> const& turns) {
  std::vector<crm::CallTurn const*> agents;
  for (auto const& turn : turns) {
    if (turn.role == crm::Speaker::agent) agents.push_back(&turn);
  }
  return agents;
}

}  // namespace

ReadBack::ReadBack(std::string appointment, std::vector<crm::CallTurn> const& turns)
    : appointment_{std::move(appointment)} {
  auto const agents = agent_turns(turns);
  turns_before_ = agents.size();
  if (agents.empty()) return;
  said_before_ = agents.back()->said.size();
  digits_before_ = digits_in(agents.back()->said);
  generated_before_ms_ = agents.back()->generated_ms.value_or(0);
}

bool ReadBack::is_heard(std::vector<crm::CallTurn> const& turns, bool agent_goes_on) const {
  auto const agents = agent_turns(turns);
  bool is_first = true;
  for (std::size_t i = turns_before_ > 0 ? turns_before_ - 1 : 0; i < agents.size(); ++i) {
    auto const& turn = *agents[i];
    // A turn in which the tool was called goes on under the same id. Sound alone may be the rest of what came before.
    bool const is_old = i + 1 == turns_before_;
    bool const is_silent = turn.generated_ms.value_or(0) <= (is_old ? generated_before_ms_ : 0);
    if (is_silent || (is_old && turn.said.size() <= said_before_)) continue;
    if (agent_goes_on && i + 1 == agents.size()) return false;
    auto const digits = digits_in(turn.said);
    bool const has_digits = digits > (is_old ? digits_before_ : 0);
    if (has_digits && digits_in(turn.heard) >= digits) return true;
    if (is_first && was_heard_whole(turn)) return true;
    is_first = false;
  }
  return false;
}

}  // namespace gateway
