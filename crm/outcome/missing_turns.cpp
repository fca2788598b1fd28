#include "crm/outcome/missing_turns.h"

#include <algorithm>
#include <optional>

#include "crm/pg/storable_text.h"
#include "crm/store/call_turns.h"

namespace crm {
namespace {

using base::Async;
using base::Result;

// Not locked: who writes the record locks it before the conversation, and enrich_call() has locked that already.
constexpr pg::Query lost_call{"find_lost_call",
                              "select tenant_id, id, started_at from calls where conversation_id = $1 "
                              "and ending = 'node_lost' and status not in ('ringing', 'in-progress')"};

/// Words in small letters, a space before and behind each: spelling and punctuation differ between what was streamed
/// and what is told afterwards, and a short answer must not be found within a longer word.
std::string words_of(std::string_view text) {
  std::string words = " ";
  for (char const c : text) {
    bool const capital = c >= 'A' && c <= 'Z';
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (capital)
      words += static_cast<char>(c + ('a' - 'A'));
    else if (plain)
      words += c;
    else if (c != '\'' && words.back() != ' ')
      words += ' ';
  }
  if (words.back() != ' ') words += ' ';
  return words;
}

/// Everything one side has said, walked through once: a turn of the provider's may be two of ours, and the other way
/// round.
class Said {
 public:
  void add(std::string_view text) {
    auto const words = words_of(text);
    if (words.size() > 1) all_.append(words, all_.empty() ? 0 : 1);
  }
  /// Also when only the beginning is there, at the very end: that turn was being spoken when the record stopped.
  bool goes_on_with(std::string_view text) {
    auto const words = words_of(text);
    if (words.size() < 2) return false;
    if (auto const found = all_.find(words, at_); found != std::string::npos) {
      at_ = found + words.size() - 1;
      return true;
    }
    auto const rest = std::string_view{all_}.substr(std::min(at_, all_.size()));
    if (rest.size() < 2 || !words.starts_with(rest)) return false;
    at_ = all_.size() - 1;
    return true;
  }

 private:
  std::string all_;
  std::size_t at_ = 0;
};

std::int64_t ms_since(Wall start, Wall at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at - start).count();
}

std::size_t first_behind_the_last_known(CallRecord const& call, std::vector<ToldTurn> const& told) {
  Said agent;
  Said caller;
  for (auto const& turn : call.turns) (turn.role == Speaker::agent ? agent : caller).add(turn.said);
  std::size_t first = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    auto& said = told[i].role == Speaker::agent ? agent : caller;
    bool const is_known =
        (!told[i].original.empty() && said.goes_on_with(told[i].original)) || said.goes_on_with(told[i].text);
    if (is_known) first = i + 1;
  }
  return first;
}

}  // namespace

std::vector<CallTurn> missing_turns(CallRecord const& call, std::vector<ToldTurn> const& told) {
  auto const first = first_behind_the_last_known(call, told);
  auto const newest = call.turns.empty() ? std::int64_t{0} : call.turns.back().started_ms;
  std::vector<CallTurn> missing;
  for (std::size_t i = first; i < told.size(); ++i) {
    auto const& turn = told[i];
    auto const begun = ms_since(call.started_at, turn.at);
    // Without a turn that both know, time alone tells what is new.
    if (turn.text.empty() || (first == 0 && !call.turns.empty() && begun <= newest)) continue;
    CallTurn added;
    added.role = turn.role;
    added.said = turn.original.empty() ? turn.text : turn.original;
    if (turn.role == Speaker::caller) added.heard = added.said;
    added.interrupted = turn.interrupted;
    added.started_ms = std::max(begun, missing.empty() ? newest : missing.back().started_ms);
    added.from_provider = true;
    missing.push_back(std::move(added));
  }
  return missing;
}

Async<Result<std::size_t>> complete_lost_call(pg::Session& session, std::string conversation_id,
                                              std::vector<ToldTurn> told) {
  pg::Params params{pg::storable_text(conversation_id)};
  auto const rows = co_await session.run(lost_call, std::move(params));
  if (!rows) co_return std::unexpected{rows.error()};
  if (rows->empty() || told.empty()) co_return std::size_t{0};
  CallRecord call;
  call.tenant = base::TenantId{(*rows)[0].text("tenant_id")};
  call.id = base::CallId{(*rows)[0].text("id")};
  call.started_at = (*rows)[0].time("started_at");
  auto stored = co_await turns_of(session, call.tenant, call.id);
  if (!stored) co_return std::unexpected{stored.error()};
  call.turns = std::move(*stored);
  auto missing = missing_turns(call, told);
  auto const count = missing.size();
  if (count == 0) co_return count;
  for (auto& turn : missing) call.turns.push_back(std::move(turn));
  auto const put = co_await put_turns(session, call.tenant, call.id, std::move(call.turns));
  if (!put) co_return std::unexpected{put.error()};
  co_return count;
}

}  // namespace crm
