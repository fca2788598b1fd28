#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm {

/// A part of a day by the clock on the wall, as minutes since midnight: from 0 to 24 hours, `from` before `to`.
struct HoursOfDay {
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};
  bool operator==(HoursOfDay const&) const = default;
};

/// When a business is open, by the clock of its time zone. Monday first; a day without hours is closed. The hours of a
/// day are in their order and do not overlap.
struct OpeningHours {
  std::array<std::vector<HoursOfDay>, 7> days;
  bool operator==(OpeningHours const&) const = default;

  /// Monday to Friday from nine to five, what the database gives a new tenant.
  static OpeningHours usual();
};

/// "mon" to "sun", in the order of OpeningHours::days.
inline constexpr std::array<std::string_view, 7> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// When people may be written to where nobody has said otherwise.
inline constexpr HoursOfDay usual_calling_hours{std::chrono::hours{8}, std::chrono::hours{21}};

/// "09:00" or "9:00"; "24:00" is the end of a day.
std::optional<std::chrono::minutes> parse_clock(std::string_view text);
/// "08:00-21:00", the end after the beginning.
std::optional<HoursOfDay> parse_hours(std::string_view text);

/// "09:00".
std::string clock_text(std::chrono::minutes of_day);
/// "08:00-21:00".
std::string hours_text(HoursOfDay const& hours);
/// "09:00-12:00,13:00-17:00", or "closed".
std::string hours_text(std::vector<HoursOfDay> const& of_day);

/// The first two of a day's hours, in their order, that overlap.
std::optional<std::array<HoursOfDay, 2>> overlap_in(std::vector<HoursOfDay> const& of_day);

}  // namespace crm
