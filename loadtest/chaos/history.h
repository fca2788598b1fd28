#pragma once
// What happened, as whoever stands outside the gateway saw it: the only thing the checker believes.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sim::chaos {

struct Entry {
  enum class What {
    call_placed,    ///< `id`: CallSid; `detail`: the caller's number.
    call_taken,     ///< `id`: CallSid. Its media stream is open: from now on the gateway must know of the call.
    call_hung_up,   ///< `id`: CallSid. The line is cut; its last callbacks follow.
    call_ended,     ///< `id`: CallSid; `detail`: how, as the carrier saw it.
    booking_asked,  ///< `id`: the tool call. The agent has asked for an appointment.
    booked,         ///< `id`: the appointment that the agent was told has been booked.
    delivered,      ///< `id`: webhook-id; `subject`: event and call. Taken by the receiver, possibly again.
    outcome_seen,   ///< `id`: CallSid. Another connection to the database finds the outcome of the call.
    sms_accepted,   ///< `id`: the carrier's MessageSid; `subject`: to whom and what.
    fault_began,    ///< `detail`: which.
    fault_over,
  };
  What what = What::call_placed;
  std::size_t cycle = 0;  ///< From 1.
  std::string id;
  std::string subject;
  std::string detail;
  std::int64_t at_ms = 0;  ///< Since the run began.
};

std::string_view to_string(Entry::What what);
/// One JSON object, without the line's end.
std::string to_json_line(Entry const& entry);

/// Entries in the order in which they were written down; any thread.
class History {
 public:
  using Clock = std::chrono::steady_clock;

  /// Also into this file, a line each; empty: nowhere. Throws std::runtime_error when it cannot be written.
  explicit History(std::string const& file);

  void begin_cycle(std::size_t cycle);
  void add(Entry::What what, std::string id, std::string subject = {}, std::string detail = {});
  /// The same of something that happened before it was written down.
  void add_at(Clock::time_point when, Entry::What what, std::string id, std::string subject = {},
              std::string detail = {});
  std::vector<Entry> entries() const;

 private:
  std::mutex mutable mutex_;
  Clock::time_point const began_ = Clock::now();
  std::size_t cycle_ = 0;
  std::vector<Entry> entries_;
  std::ofstream file_;
};

}  // namespace sim::chaos
