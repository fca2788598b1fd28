#include "crm/model/business_hours.h"

#include <fmt/format.h>

#include <algorithm>

namespace crm {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

std::optional<int> number_in(std::string_view digits) {
  if (digits.empty() || digits.size() > 2) return std::nullopt;
  int number = 0;
  for (char const c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace

OpeningHours OpeningHours::usual() {
  OpeningHours opening;
  for (std::size_t day = 0; day < 5; ++day) opening.days.at(day) = {{hours{9}, hours{17}}};
  return opening;
}

std::optional<minutes> parse_clock(std::string_view text) {
  auto const colon = text.find(':');
  if (colon == std::string_view::npos || text.size() != colon + 3) return std::nullopt;
  auto const hour = number_in(text.substr(0, colon));
  auto const minute = number_in(text.substr(colon + 1));
  if (!hour || !minute || *minute > 59) return std::nullopt;
  auto const clock = hours{*hour} + minutes{*minute};
  return clock <= hours{24} ? std::optional{clock} : std::nullopt;
}

std::optional<HoursOfDay> parse_hours(std::string_view text) {
  auto const dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto const from = parse_clock(text.substr(0, dash));
  auto const to = parse_clock(text.substr(dash + 1));
  if (!from || !to || *from >= *to) return std::nullopt;
  return HoursOfDay{*from, *to};
}

std::string clock_text(minutes of_day) {
  return fmt::format("{:02}:{:02}", of_day.count() / 60, of_day.count() % 60);
}

std::string hours_text(HoursOfDay const& hours) {
  return clock_text(hours.from) + "-" + clock_text(hours.to);
}

std::string hours_text(std::vector<HoursOfDay> const& of_day) {
  if (of_day.empty()) return "closed";
  std::string text;
  for (auto const& each : of_day) text += (text.empty() ? "" : ",") + hours_text(each);
  return text;
}

std::optional<std::array<HoursOfDay, 2>> overlap_in(std::vector<HoursOfDay> const& of_day) {
  auto const meets = [](HoursOfDay const& one, HoursOfDay const& next) { return next.from < one.to; };
  auto const found = std::ranges::adjacent_find(of_day, meets);
  if (found == of_day.end()) return std::nullopt;
  return std::array{*found, *(found + 1)};
}

}  // namespace crm
