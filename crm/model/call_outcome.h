#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crm {

/// What a call came to, from the least that can be said to the most: of two views of one call the later word stands.
enum class OutcomeCategory {
  failed,
  other,
  abandoned,
  wrong_number,
  information_given,
  voicemail,
  transferred,
  message_taken,
  cancelled,
  rescheduled,
  appointment_booked,
};

/// What the business learned from one call.
struct CallOutcome {
  OutcomeCategory category = OutcomeCategory::other;
  double confidence = 0.5;       ///< 0 to 1.
  std::string reason;            ///< One sentence for people, without names, numbers and what was said.
  bool follow_up = false;        ///< A person of the business should do something,
  std::string follow_up_reason;  ///< and why; empty when nothing is to be done.
  std::optional<std::string> appointment_id;
  bool operator==(CallOutcome const&) const = default;
};

constexpr std::string_view to_string(OutcomeCategory category) {
  switch (category) {
    case OutcomeCategory::failed:
      return "failed";
    case OutcomeCategory::other:
      return "other";
    case OutcomeCategory::abandoned:
      return "abandoned";
    case OutcomeCategory::wrong_number:
      return "wrong_number";
    case OutcomeCategory::information_given:
      return "information_given";
    case OutcomeCategory::voicemail:
      return "voicemail";
    case OutcomeCategory::transferred:
      return "transferred";
    case OutcomeCategory::message_taken:
      return "message_taken";
    case OutcomeCategory::cancelled:
      return "cancelled";
    case OutcomeCategory::rescheduled:
      return "rescheduled";
    case OutcomeCategory::appointment_booked:
      return "appointment_booked";
  }
  return "other";
}

constexpr std::optional<OutcomeCategory> outcome_category_from(std::string_view text) {
  for (auto category = OutcomeCategory::failed;;
       category = static_cast<OutcomeCategory>(static_cast<int>(category) + 1)) {
    if (to_string(category) == text) return category;
    if (category == OutcomeCategory::appointment_booked) return std::nullopt;
  }
}

/// Whether `fresh` says more about the call than `known`.
constexpr bool says_more(OutcomeCategory fresh, double fresh_confidence, OutcomeCategory known,
                         double known_confidence) {
  // Confidence has been through a four-byte column.
  constexpr double rounding = 0.001;
  return fresh > known || (fresh == known && fresh_confidence > known_confidence + rounding);
}

}  // namespace crm
