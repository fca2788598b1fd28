#include "gateway/twilio/call_status.h"

#include <array>
#include <utility>

namespace gateway::twilio {
namespace {

constexpr std::array<std::pair<CallStatus, std::string_view>, 9> call_statuses{
    {{CallStatus::queued, "queued"},
     {CallStatus::initiated, "initiated"},
     {CallStatus::ringing, "ringing"},
     {CallStatus::in_progress, "in-progress"},
     {CallStatus::completed, "completed"},
     {CallStatus::busy, "busy"},
     {CallStatus::no_answer, "no-answer"},
     {CallStatus::failed, "failed"},
     {CallStatus::canceled, "canceled"}}};

constexpr std::array<std::pair<DialStatus, std::string_view>, 6> dial_statuses{{{DialStatus::completed, "completed"},
                                                                                {DialStatus::answered, "answered"},
                                                                                {DialStatus::busy, "busy"},
                                                                                {DialStatus::no_answer, "no-answer"},
                                                                                {DialStatus::failed, "failed"},
                                                                                {DialStatus::canceled, "canceled"}}};

auto parse(auto const& table, std::string_view text) -> std::optional<decltype(table[0].first)> {
  for (auto const& [status, name] : table) {
    if (name == text) return status;
  }
  return std::nullopt;
}

std::string_view name_of(auto const& table, auto wanted) {
  for (auto const& [status, name] : table) {
    if (status == wanted) return name;
  }
  return "unknown";
}

}  // namespace

std::optional<CallStatus> parse_call_status(std::string_view text) {
  return parse(call_statuses, text);
}
std::string_view to_string(CallStatus status) {
  return name_of(call_statuses, status);
}
bool is_terminal(CallStatus status) {
  return status >= CallStatus::completed;
}

int rank(CallStatus status) {
  switch (status) {
    case CallStatus::queued:
      return 0;
    case CallStatus::initiated:
      return 1;
    case CallStatus::ringing:
      return 2;
    case CallStatus::in_progress:
      return 3;
    case CallStatus::completed:
    case CallStatus::busy:
    case CallStatus::no_answer:
    case CallStatus::failed:
    case CallStatus::canceled:
      return 4;
  }
  return 0;
}

bool CallProgress::merge(CallStatus update, std::optional<int> update_sequence) {
  if (is_terminal(status)) return false;
  // The final event counts even when an event with a higher number overtook it, which a restarted counter could cause.
  bool const old_news = sequence && update_sequence && *update_sequence <= *sequence && !is_terminal(update);
  if (old_news || rank(update) < rank(status)) return false;
  if (update_sequence && (!sequence || *update_sequence > *sequence)) sequence = update_sequence;
  bool const changed = update != status;
  status = update;
  return changed;
}

std::optional<DialStatus> parse_dial_status(std::string_view text) {
  return parse(dial_statuses, text);
}
std::string_view to_string(DialStatus status) {
  return name_of(dial_statuses, status);
}

}  // namespace gateway::twilio
