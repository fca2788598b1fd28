#include "loadtest/chaos/history.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sim::chaos {
std::string_view to_string(Entry::What what) {
  using enum Entry::What;
  switch (what) {
    case call_placed:
      return "call_placed";
    case call_taken:
      return "call_taken";
    case call_hung_up:
      return "call_hung_up";
    case call_ended:
      return "call_ended";
    case booking_asked:
      return "booking_asked";
    case booked:
      return "booked";
    case delivered:
      return "delivered";
    case outcome_seen:
      return "outcome_seen";
    case sms_accepted:
      return "sms_accepted";
    case fault_began:
      return "fault_began";
    case fault_over:
      return "fault_over";
  }
  return "unknown";
}

std::string to_json_line(Entry const& entry) {
  nlohmann::ordered_json json{{"at_ms", entry.at_ms}, {"cycle", entry.cycle}, {"what", to_string(entry.what)}};
  if (!entry.id.empty()) json["id"] = entry.id;
  if (!entry.subject.empty()) json["subject"] = entry.subject;
  if (!entry.detail.empty()) json["detail"] = entry.detail;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

History::History(std::string const& file) {
  if (file.empty()) return;
  file_.open(file, std::ios::binary | std::ios::trunc);
  if (!file_) throw std::runtime_error{"cannot write " + file};
}

void History::begin_cycle(std::size_t cycle) {
  std::lock_guard const lock{mutex_};
  cycle_ = cycle;
}

void History::add(Entry::What what, std::string id, std::string subject, std::string detail) {
  add_at(Clock::now(), what, std::move(id), std::move(subject), std::move(detail));
}

void History::add_at(Clock::time_point when, Entry::What what, std::string id, std::string subject,
                     std::string detail) {
  auto const at = std::chrono::duration_cast<std::chrono::milliseconds>(when - began_).count();
  std::lock_guard const lock{mutex_};
  entries_.push_back({what, cycle_, std::move(id), std::move(subject), std::move(detail), at});
  // Whoever reads the file after a crash of ours finds everything up to it.
  if (file_.is_open()) file_ << to_json_line(entries_.back()) << std::endl;
}

std::vector<Entry> History::entries() const {
  std::lock_guard const lock{mutex_};
  return entries_;
}

}  // namespace sim::chaos
