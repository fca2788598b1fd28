#include "gateway/base/zone.h"

#include <gtest/gtest.h>

namespace base {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TimeSource::Wall utc(int year, unsigned month, unsigned day, hours hour, minutes minute = {}, seconds second = {}) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} + hour + minute + second;
}

std::string shown(TimeSource::Wall when, std::string_view zone) {
  auto const local = local_time(when, zone);
  return local ? iso8601(*local) : "no zone";
}

TEST(LocalTime, is_what_the_clocks_of_the_place_show) {
  auto const when = utc(2026, 1, 5, hours{15});
  EXPECT_EQ(shown(when, "America/New_York"), "2026-01-05T10:00:00-05:00");
  EXPECT_EQ(shown(when, "Europe/Berlin"), "2026-01-05T16:00:00+01:00");
  EXPECT_EQ(shown(when, "Asia/Kathmandu"), "2026-01-05T20:45:00+05:45");
  EXPECT_EQ(shown(when, "UTC"), "2026-01-05T15:00:00+00:00");
}

TEST(LocalTime, leaves_an_hour_out_when_summer_begins) {
  EXPECT_EQ(shown(utc(2026, 3, 8, hours{6}, minutes{59}, seconds{59}), "America/New_York"),
            "2026-03-08T01:59:59-05:00");
  EXPECT_EQ(shown(utc(2026, 3, 8, hours{7}), "America/New_York"), "2026-03-08T03:00:00-04:00");
}

TEST(LocalTime, has_an_hour_twice_when_summer_ends_and_tells_the_two_apart_by_their_offset) {
  EXPECT_EQ(shown(utc(2026, 11, 1, hours{5}, minutes{30}), "America/New_York"), "2026-11-01T01:30:00-04:00");
  EXPECT_EQ(shown(utc(2026, 11, 1, hours{6}, minutes{30}), "America/New_York"), "2026-11-01T01:30:00-05:00");
}

TEST(LocalTime, knows_a_place_that_moves_its_clocks_by_half_an_hour) {
  EXPECT_EQ(shown(utc(2026, 4, 4, hours{14}, minutes{59}), "Australia/Lord_Howe"), "2026-04-05T01:59:00+11:00");
  EXPECT_EQ(shown(utc(2026, 4, 4, hours{15}), "Australia/Lord_Howe"), "2026-04-05T01:30:00+10:30");
}

TEST(LocalTime, is_right_before_the_epoch_and_cuts_parts_of_a_second_off) {
  EXPECT_EQ(shown(utc(1969, 12, 31, hours{23}, minutes{59}, seconds{59}) + std::chrono::milliseconds{900}, "UTC"),
            "1969-12-31T23:59:59+00:00");
}

TEST(LocalTime, does_not_exist_in_a_zone_that_nobody_knows) {
  for (auto const* zone : {"", "Mars/Olympus_Mons", "../../etc/passwd", "America"})
    EXPECT_EQ(local_time(utc(2026, 1, 5, hours{15}), zone).error().fault, Fault::not_found) << zone;
}

TEST(DateInWords, names_the_weekday_of_the_place) {
  auto const late_evening_in_new_york = utc(2026, 3, 1, hours{3});
  EXPECT_EQ(date_in_words(*local_time(late_evening_in_new_york, "America/New_York")), "Saturday, February 28, 2026");
  EXPECT_EQ(date_in_words(utc_time(late_evening_in_new_york)), "Sunday, March 1, 2026");
}

}  // namespace
}  // namespace base
