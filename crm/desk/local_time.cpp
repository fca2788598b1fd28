#include "crm/desk/local_time.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

namespace crm {
namespace {

using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array weekdays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array months{"January", "February", "March",     "April",   "May",      "June",
                            "July",    "August",   "September", "October", "November", "December"};

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (char const c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

std::optional<local_days> take_day(std::string_view& text) {
  auto const year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  auto const month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  auto const day = take_digits(text, 2);
  if (!day) return std::nullopt;
  auto const date = std::chrono::year{*year} / *month / *day;
  // Years that PostgreSQL, system_clock and a calendar of appointments all know.
  if (!date.ok() || *year < 1970 || *year > 2200) return std::nullopt;
  return local_days{date};
}

/// "09:00", "09:00:00", "09:00:00.000".
std::optional<seconds> take_clock(std::string_view& text) {
  auto const hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  auto const minute = take_digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  seconds clock = hours{*hour} + minutes{*minute};
  if (!take(text, ":")) return clock;
  auto const second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  if (take(text, ".")) {
    while (take(text, "0123456789")) {
    }
  }
  return clock + seconds{*second};
}

std::optional<seconds> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return seconds{0};
  if (text.empty()) return std::nullopt;
  int const sign = text.front() == '-' ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  auto const hour = take_digits(text, 2);
  if (!hour || *hour > 15) return std::nullopt;
  take(text, ":");
  auto const minute = text.empty() ? std::optional{0} : take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return sign * seconds{hours{*hour} + minutes{*minute}};
}

local_seconds clock_at(Wall when, seconds utc_offset) {
  return local_seconds{std::chrono::floor<seconds>(when).time_since_epoch() + utc_offset};
}

}  // namespace

std::optional<NamedTime> parse_time(std::string_view text) {
  auto const day = take_day(text);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  auto const clock = take_clock(text);
  if (!clock) return std::nullopt;
  NamedTime time{.clock = *day + *clock, .utc_offset = std::nullopt};
  if (text.empty()) return time;
  time.utc_offset = take_offset(text);
  if (!time.utc_offset || !text.empty()) return std::nullopt;
  return time;
}

std::optional<local_days> parse_day(std::string_view text) {
  auto const day = take_day(text);
  bool const ends = text.empty() || text.front() == 'T' || text.front() == ' ';
  return ends ? day : std::nullopt;
}

std::optional<Wall> moment_of(NamedTime const& time) {
  if (!time.utc_offset) return std::nullopt;
  return Wall{time.clock.time_since_epoch() - *time.utc_offset};
}

std::string iso_day(local_days day) {
  std::chrono::year_month_day const date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string iso_clock(local_seconds clock) {
  auto const day = std::chrono::floor<std::chrono::days>(clock);
  std::chrono::hh_mm_ss const time{clock - day};
  return fmt::format("{}T{:02}:{:02}:{:02}", iso_day(day), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::string iso_local(Wall when, seconds utc_offset) {
  auto const from_utc = std::chrono::duration_cast<minutes>(std::chrono::abs(utc_offset)).count();
  return fmt::format("{}{}{:02}:{:02}", iso_clock(clock_at(when, utc_offset)), utc_offset < seconds{0} ? '-' : '+',
                     from_utc / 60, from_utc % 60);
}

std::string spoken_day(local_days day) {
  std::chrono::year_month_day const date{day};
  return fmt::format("{}, {} {}", weekdays.at(std::chrono::weekday{day}.c_encoding()),
                     months.at(static_cast<unsigned>(date.month()) - 1), static_cast<unsigned>(date.day()));
}

std::string spoken(Wall when, seconds utc_offset) {
  auto const clock = clock_at(when, utc_offset);
  auto const day = std::chrono::floor<std::chrono::days>(clock);
  std::chrono::hh_mm_ss const time{clock - day};
  auto const hour = std::chrono::make12(time.hours()).count();
  return fmt::format("{} at {}:{:02} {}", spoken_day(day), hour, time.minutes().count(),
                     std::chrono::is_am(time.hours()) ? "AM" : "PM");
}

}  // namespace crm
