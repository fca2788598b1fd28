#include "gateway/base/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace base {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;

LocalTime shifted(TimeSource::Wall when, seconds offset) {
  auto const since_epoch = floor<seconds>(when).time_since_epoch();
  return {std::chrono::local_seconds{since_epoch + offset}, offset};
}

std::chrono::year_month_day date_of(LocalTime const& local) {
  return std::chrono::year_month_day{floor<days>(local.time)};
}

}  // namespace

Result<LocalTime> local_time(TimeSource::Wall when, std::string_view zone) {
  try {
    auto const* const known = date::locate_zone(std::string{zone});
    return shifted(when, known->get_info(floor<seconds>(when)).offset);
  } catch (std::exception const&) {  // the library knows no other answer for a zone that is not there
    return fail(Fault::not_found, "no such time zone");
  }
}

Result<std::optional<TimeSource::Wall>> moment_at(std::chrono::local_seconds clock, std::string_view zone,
                                                  TimeSource::Wall not_before) {
  try {
    auto const* const known = date::locate_zone(std::string{zone});
    date::local_seconds const shown{clock.time_since_epoch()};
    for (auto const which : {date::choose::earliest, date::choose::latest}) {
      TimeSource::Wall const moment{known->to_sys(shown, which).time_since_epoch()};
      if (moment >= not_before) return moment;
    }
    return std::nullopt;
  } catch (std::exception const&) {
    return fail(Fault::not_found, "no such time zone");
  }
}

LocalTime utc_time(TimeSource::Wall when) {
  return shifted(when, seconds{0});
}

std::string iso8601(LocalTime const& local) {
  auto const date = date_of(local);
  std::chrono::hh_mm_ss const clock{local.time - floor<days>(local.time)};
  std::chrono::hh_mm_ss const offset{std::chrono::abs(local.offset)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), local.offset < seconds{0} ? '-' : '+',
                     offset.hours().count(), offset.minutes().count());
}

std::string date_in_words(LocalTime const& local) {
  static constexpr std::array weekdays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static constexpr std::array months{"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
  auto const date = date_of(local);
  std::chrono::weekday const weekday{floor<days>(local.time)};
  return fmt::format("{}, {} {}, {}", weekdays.at(weekday.c_encoding()),
                     months.at(static_cast<unsigned>(date.month()) - 1), static_cast<unsigned>(date.day()),
                     static_cast<int>(date.year()));
}

}  // namespace base
