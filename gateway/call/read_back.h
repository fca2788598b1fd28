#pragma once
// An appointment counts as confirmed when the caller has heard it, not when the agent meant to say it.
#include <string>
#include <vector>

#include "crm/model/call_record.h"

namespace gateway {

/// Waits for the caller to hear an appointment read back. It has been heard when, of what the agent said after the
/// answer of the tool,
/// - the first turn was heard to its end; or
/// - any turn was heard to behind the last digit in it, for days and times are what digits are used for here. That also
///   covers a turn that was interrupted after the time, and one that says it again.
/// What was interrupted before that, and not said again, has not been heard.
class ReadBack {
 public:
  /// `turns` as they are when the tool is answered. All turns here are those of one process's part of a call.
  ReadBack(std::string appointment, std::vector<crm::CallTurn> const& turns);

  std::string const& appointment() const { return appointment_; }
  /// `agent_goes_on`: the last agent turn may still grow, so nothing can be said of its end.
  bool is_heard(std::vector<crm::CallTurn> const& turns, bool agent_goes_on) const;

 private:
  std::string appointment_;
  std::size_t turns_before_ = 0;  // of the agent; the last of them may go on after the answer
  std::size_t said_before_ = 0;   // in that one: bytes of text
  std::size_t digits_before_ = 0;
  std::int64_t generated_before_ms_ = 0;
};

}  // namespace gateway
