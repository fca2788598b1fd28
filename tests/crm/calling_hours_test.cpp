#include "crm/outbox/calling_hours.h"

#include <gtest/gtest.h>

#include "gateway/base/zone.h"

namespace {

using crm::HoursOfDay;
using crm::may_write_from;
using crm::Wall;
using std::chrono::hours;
using std::chrono::minutes;

constexpr HoursOfDay usual = crm::usual_calling_hours;

Wall utc(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return Wall{std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)}} +
         hours{hour} + minutes{minute};
}

/// "2026-03-02T08:00:00-05:00", or "never".
std::string when(Wall now, HoursOfDay of_day, std::string const& zone) {
  auto const from = may_write_from(now, of_day, zone, zone);
  return from ? base::iso8601(*base::local_time(*from, zone)) : "never";
}

TEST(CallingHours, are_now_from_their_first_minute_until_the_last) {
  auto const eight = utc(2026, 3, 2, 13);
  EXPECT_EQ(may_write_from(eight, usual, "America/New_York", "UTC"), eight);
  auto const last = utc(2026, 3, 3, 1, 59);
  EXPECT_EQ(may_write_from(last, usual, "America/New_York", "UTC"), last);
}

TEST(CallingHours, begin_again_the_next_morning) {
  EXPECT_EQ(when(utc(2026, 3, 3, 2), usual, "America/New_York"), "2026-03-03T08:00:00-05:00");
  EXPECT_EQ(when(utc(2026, 3, 3, 12, 59), usual, "America/New_York"), "2026-03-03T08:00:00-05:00");
  EXPECT_EQ(when(utc(2026, 3, 8, 3), usual, "America/New_York"), "2026-03-08T08:00:00-04:00") << "the clocks change";
}

TEST(CallingHours, go_by_the_tenants_clock_where_the_persons_is_not_known) {
  auto const now = utc(2026, 3, 2, 23);
  EXPECT_EQ(may_write_from(now, usual, std::nullopt, "America/New_York"), now);
  EXPECT_EQ(may_write_from(now, usual, "Mars/Base", "America/New_York"), now);
  EXPECT_NE(may_write_from(now, usual, "Europe/Berlin", "America/New_York"), now);
  EXPECT_EQ(may_write_from(now, usual, std::nullopt, "Mars/Base"), std::nullopt);
}

TEST(CallingHours, that_begin_in_a_skipped_hour_begin_when_the_clocks_jump) {
  EXPECT_EQ(when(utc(2026, 3, 8, 6), {minutes{150}, hours{5}}, "America/New_York"), "2026-03-08T03:00:00-04:00");
}

TEST(CallingHours, that_a_day_skips_altogether_begin_the_day_after) {
  EXPECT_EQ(when(utc(2026, 3, 8, 6), {hours{2}, hours{3}}, "America/New_York"), "2026-03-09T02:00:00-04:00");
}

TEST(CallingHours, that_come_twice_begin_again_with_the_second_time) {
  // 01:15, the second time: half past one has been, and comes again.
  EXPECT_EQ(when(utc(2026, 11, 1, 6, 15), {minutes{90}, hours{2}}, "America/New_York"), "2026-11-01T01:30:00-05:00");
}

TEST(CallingHours, hold_at_every_quarter_of_an_hour_of_three_years_wherever_the_clocks_change) {
  for (std::string const zone : {"America/New_York", "America/Los_Angeles", "America/Phoenix", "America/St_Johns",
                                 "America/Adak", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"}) {
    int wrong = 0, idle = 0;
    for (auto now = utc(2026, 1, 1, 0); now < utc(2029, 1, 1, 0); now += minutes{15}) {
      auto const from = may_write_from(now, usual, zone, "UTC");
      if (!from || *from < now || *from > now + hours{12}) {
        ++idle;
        continue;
      }
      auto const clock = base::local_time(*from, zone)->time;
      auto const of_day = clock - std::chrono::floor<std::chrono::days>(clock);
      if (of_day < usual.from || of_day >= usual.to) ++wrong;
    }
    EXPECT_EQ(wrong, 0) << zone;
    EXPECT_EQ(idle, 0) << zone;
  }
}

}  // namespace
