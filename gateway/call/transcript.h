#pragma once
// What was said on a call, and how much of it the caller really heard.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/model/call_record.h"
#include "gateway/call/leg.h"
#include "gateway/call/playout.h"

namespace gateway {

/// When what was said is spoken. One small entry a character: an hour of talk has tens of thousands.
struct SpokenText {
  struct Character {
    std::int32_t start_ms;  ///< From the beginning of the turn.
    std::uint32_t end;      ///< Where it ends in `text`.
  };
  std::string text;
  std::vector<Character> characters;
};

/// The part of a turn that was reached by what was heard, as text: exact where the agent said when each character is
/// spoken, otherwise in proportion to the audio, cut back to a whole word.
std::string heard_text(std::string_view said, SpokenText const& spoken, TurnProgress const& progress);

/// "Caller: …\nAgent: …", heard words only, newest last, at most `max_bytes` from the end.
std::string heard_context(std::vector<crm::CallTurn> const& turns, std::size_t max_bytes);

/// Which words count as heard: those that marks prove, or also those that are on their way to the caller.
enum class Heard { proven, soon };

/// Turns in the order in which they began. Agent turns are found again by the agent's event id, which starts anew with
/// each conversation: new_conversation() forgets the ids.
class Transcript {
 public:
  /// The turn of this event id; begun now if there is none. `at` is the time since the call began.
  std::size_t agent_turn(std::int64_t event_id, std::chrono::milliseconds at);
  std::optional<std::size_t> find_agent_turn(std::int64_t event_id) const;
  /// Several texts of one turn (before and after a tool call) are joined.
  void agent_said(std::size_t turn, std::string_view text);
  /// Adds alignment of a piece of audio that begins `offset_ms` into the turn.
  void agent_spoke(std::size_t turn, SpokenAlignment const& piece, std::int64_t offset_ms);
  /// The agent's own idea of what was heard. Without an id the turn is found by its text. False when there is none.
  bool correct(std::optional<std::int64_t> event_id, std::string_view original, std::string_view corrected);
  void interrupted(std::size_t turn);
  /// The agent was lost before it had generated all that it meant to say.
  void broke_off(std::size_t turn) { turns_[turn].broken_off = true; }
  bool has_text(std::size_t turn) const { return !turns_[turn].said.empty(); }
  /// The event id of this turn now names a turn to come.
  void retire(std::size_t turn) { turns_[turn].event_id.reset(); }
  void caller_said(std::int64_t event_id, std::string_view text, std::chrono::milliseconds at);
  void new_conversation();

  bool empty() const { return turns_.empty(); }
  std::vector<crm::CallTurn> snapshot(Playout const& playout, Heard heard = Heard::proven) const;

 private:
  struct Turn {
    crm::Speaker role = crm::Speaker::agent;
    std::optional<std::int64_t> event_id;  // of the running conversation only
    std::optional<std::int64_t> recorded_event_id;
    std::string said;
    std::optional<std::string> corrected;
    SpokenText spoken;
    bool interrupted = false;
    bool broken_off = false;
    std::chrono::milliseconds at{0};
  };
  crm::CallTurn to_record(std::size_t index, Playout const& playout, Heard heard) const;
  std::vector<Turn> turns_;
};

}  // namespace gateway
