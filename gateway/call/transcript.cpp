#include "gateway/call/transcript.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "gateway/base/text.h"

namespace gateway {
namespace {

/// The longest prefix of whole words, not longer than `bytes`.
std::string whole_words(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return std::string{text};
  auto const space = text.rfind(' ', bytes);
  return std::string{space == std::string_view::npos ? std::string_view{} : base::trimmed(text.substr(0, space))};
}

}  // namespace

std::string heard_text(std::string_view said, SpokenText const& spoken, TurnProgress const& progress) {
  if (progress.generated_ms == 0 || progress.reached_ms <= 0) return {};
  // A frame's worth of tolerance: the last frame of a turn is padded.
  if (progress.reached_ms + 20 >= progress.generated_ms && !progress.cut) return std::string{said};
  if (!spoken.characters.empty()) {
    std::size_t end = 0;
    for (auto const& character : spoken.characters) {
      if (character.start_ms >= progress.reached_ms) break;
      end = character.end;
    }
    return std::string{base::trimmed(std::string_view{spoken.text}.substr(0, end))};
  }
  auto const share =
      static_cast<std::size_t>(static_cast<double>(said.size()) * static_cast<double>(progress.reached_ms) /
                               static_cast<double>(progress.generated_ms));
  return whole_words(said, share);
}

std::size_t Transcript::agent_turn(std::int64_t event_id, std::chrono::milliseconds at) {
  if (auto const known = find_agent_turn(event_id)) return *known;
  Turn turn;
  turn.role = crm::Speaker::agent;
  turn.event_id = event_id;
  turn.recorded_event_id = event_id;
  turn.at = at;
  turns_.push_back(std::move(turn));
  return turns_.size() - 1;
}

std::optional<std::size_t> Transcript::find_agent_turn(std::int64_t event_id) const {
  for (auto i = turns_.size(); i-- > 0;) {
    if (turns_[i].role == crm::Speaker::agent && turns_[i].event_id == event_id) return i;
  }
  return std::nullopt;
}

void Transcript::agent_said(std::size_t turn, std::string_view text) {
  auto const words = base::trimmed(text);
  if (words.empty()) return;
  auto& said = turns_[turn].said;
  if (!said.empty()) said += ' ';
  said += words;
}

void Transcript::agent_spoke(std::size_t turn, SpokenAlignment const& piece, std::int64_t offset_ms) {
  auto& spoken = turns_[turn].spoken;
  auto const count = std::min(piece.characters.size(), piece.starts_ms.size());
  for (std::size_t i = 0; i < count; ++i) {
    spoken.text += piece.characters[i];
    spoken.characters.push_back(
        {static_cast<std::int32_t>(offset_ms + piece.starts_ms[i]), static_cast<std::uint32_t>(spoken.text.size())});
  }
}

bool Transcript::correct(std::optional<std::int64_t> event_id, std::string_view original, std::string_view corrected) {
  for (auto i = turns_.size(); i-- > 0;) {
    auto& turn = turns_[i];
    if (turn.role != crm::Speaker::agent) continue;
    bool const same = event_id ? turn.event_id == event_id : base::trimmed(original) == turn.said;
    if (!same) continue;
    turn.corrected = std::string{base::trimmed(corrected)};
    turn.interrupted = true;
    return true;
  }
  return false;
}

void Transcript::interrupted(std::size_t turn) {
  turns_[turn].interrupted = true;
}

void Transcript::caller_said(std::int64_t event_id, std::string_view text, std::chrono::milliseconds at) {
  Turn turn;
  turn.role = crm::Speaker::caller;
  turn.event_id = event_id;
  turn.recorded_event_id = event_id;
  turn.said = std::string{base::trimmed(text)};
  turn.at = at;
  // The recognised words may arrive after the answer they led to (same event id): the caller spoke first.
  auto const answer = std::ranges::find_if(
      turns_, [&](Turn const& t) { return t.role == crm::Speaker::agent && t.event_id == event_id; });
  if (answer != turns_.end()) turn.at = std::min(turn.at, answer->at);
  turns_.push_back(std::move(turn));
}

void Transcript::new_conversation() {
  for (auto& turn : turns_) turn.event_id.reset();
}

crm::CallTurn Transcript::to_record(std::size_t index, Playout const& playout, Heard heard) const {
  auto const& turn = turns_[index];
  crm::CallTurn record;
  record.role = turn.role;
  record.event_id = turn.recorded_event_id;
  record.said = turn.said;
  record.started_ms = turn.at.count();
  if (turn.role == crm::Speaker::caller) {
    record.heard = turn.said;
    return record;
  }
  auto progress = playout.progress(index);
  record.interrupted = turn.interrupted || progress.cut;
  record.generated_ms = progress.generated_ms;
  record.sent_ms = progress.sent_ms;
  record.heard_ms = progress.heard_ms;
  progress.cut |= turn.broken_off;
  if (heard == Heard::soon) progress.reached_ms = std::max(progress.reached_ms, progress.due_ms);
  bool const rely_on_agent = record.interrupted && turn.corrected && turn.spoken.characters.empty();
  record.heard = rely_on_agent ? *turn.corrected : heard_text(turn.said, turn.spoken, progress);
  return record;
}

std::vector<crm::CallTurn> Transcript::snapshot(Playout const& playout, Heard heard) const {
  std::vector<std::size_t> order(turns_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Caller before agent at the same moment: the answer carries the id of the question.
  auto const place = [&](std::size_t i) { return std::tuple{turns_[i].at, turns_[i].role == crm::Speaker::agent, i}; };
  std::ranges::sort(order, {}, place);
  std::vector<crm::CallTurn> records;
  records.reserve(turns_.size());
  for (auto const i : order) records.push_back(to_record(i, playout, heard));
  return records;
}

std::string heard_context(std::vector<crm::CallTurn> const& turns, std::size_t max_bytes) {
  std::string text;
  for (auto const& turn : turns) {
    if (turn.heard.empty()) continue;
    text += turn.role == crm::Speaker::caller ? "Caller: " : "Agent: ";
    text += turn.heard;
    text += '\n';
  }
  if (text.size() > max_bytes) {
    auto from = text.size() - max_bytes;
    auto const line_end = text.find('\n', from);
    if (line_end + 1 < text.size()) from = line_end + 1;
    // The newest line alone is too long: its end, from the beginning of a UTF-8 character.
    while (from < text.size() && base::continues_character(text[from])) ++from;
    text.erase(0, from);
  }
  return text;
}

}  // namespace gateway
