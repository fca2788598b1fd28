#include "crm/store/slots.h"

#include "crm/desk/local_time.h"
#include "tests/crm/call_scene.h"

namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using test::sql;

constexpr std::string_view all_night = R"({"sun": [["00:00", "06:00"]]})";

class Slots : public test::BusinessTest {
 protected:
  void business(std::string const& zone, std::string_view hours, int slot_minutes = 60) {
    sql(conninfo, "update tenants set timezone = '" + zone + "', opening_hours = '" + std::string{hours} +
                      "', slot_minutes = " + std::to_string(slot_minutes) + ", lead_minutes = 60 where id = 'ten_1'");
  }
  void taken(std::string const& id, std::string const& from, std::string const& to,
             std::string const& rest = "'confirmed', null, null") {
    sql(conninfo,
        "insert into appointments (tenant_id, id, starts_at, ends_at, status, held_until, call_id) values "
        "('ten_1', '" +
            id + "', '" + from + "', '" + to + "', " + rest + ")");
  }
  std::vector<crm::Slot> find(crm::SlotSearch search) {
    search.tenant = base::TenantId{"ten_1"};
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    auto const found = run(crm::find_slots(session, search));
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : std::vector<crm::Slot>{};
  }
  /// The starts of a day, as the clock on the wall shows them, with its distance from UTC.
  std::string day(std::string const& day, crm::Wall now) {
    crm::SlotSearch search;
    search.now = now;
    search.from_day = day;
    search.to_day = day;
    search.limit = 100;
    std::string starts;
    for (auto const& slot : find(search)) {
      if (!starts.empty()) starts += ' ';
      starts += crm::iso_local(slot.starts_at, slot.utc_offset).substr(11);
    }
    return starts;
  }
  crm::SlotSearch on_monday() {
    crm::SlotSearch search;
    search.now = monday;
    search.from_day = "2026-03-02";
    search.to_day = "2026-03-02";
    search.limit = 100;
    return search;
  }
  crm::Wall const monday = sys_days{2026y / 3 / 2} + 13h;  // 08:00 in New York
};

TEST_F(Slots, begin_in_the_opening_hours_and_end_in_them) {
  business("America/New_York", R"({"mon": [["09:00", "12:00"], ["13:00", "14:30"]]})");
  EXPECT_EQ(day("2026-03-09", monday), "09:00:00-04:00 10:00:00-04:00 11:00:00-04:00 13:00:00-04:00");
  EXPECT_EQ(day("2026-03-10", monday), "");
}

TEST_F(Slots, keep_the_lead_time) {
  business("America/New_York", R"({"mon": [["08:00", "11:00"]]})", 30);
  EXPECT_EQ(day("2026-03-02", monday), "09:00:00-05:00 09:30:00-05:00 10:00:00-05:00 10:30:00-05:00");
}

TEST_F(Slots, are_not_given_further_ahead_than_the_business_books) {
  business("America/New_York", R"({"mon": [["09:00", "10:00"]]})");
  sql(conninfo, "update tenants set booking_days = 7");
  EXPECT_EQ(day("2026-03-09", monday), "09:00:00-04:00");
  EXPECT_EQ(day("2026-03-16", monday), "");
}

TEST_F(Slots, skip_the_hour_that_new_york_does_not_have_in_spring) {
  business("America/New_York", all_night);
  EXPECT_EQ(day("2026-03-08", monday), "00:00:00-05:00 01:00:00-05:00 03:00:00-04:00 04:00:00-04:00 05:00:00-04:00");
}

TEST_F(Slots, offer_the_hour_that_new_york_has_twice_in_autumn_twice) {
  business("America/New_York", all_night);
  EXPECT_EQ(day("2026-11-01", sys_days{2026y / 10 / 28}),
            "00:00:00-04:00 01:00:00-04:00 01:00:00-05:00 02:00:00-05:00 03:00:00-05:00 04:00:00-05:00 "
            "05:00:00-05:00");
}

TEST_F(Slots, follow_lord_howes_half_hour_in_spring) {
  business("Australia/Lord_Howe", all_night, 30);
  EXPECT_EQ(day("2026-10-04", sys_days{2026y / 10 / 1}),
            "00:00:00+10:30 00:30:00+10:30 01:00:00+10:30 01:30:00+10:30 02:30:00+11:00 03:00:00+11:00 "
            "03:30:00+11:00 04:00:00+11:00 04:30:00+11:00 05:00:00+11:00 05:30:00+11:00");
}

TEST_F(Slots, follow_lord_howes_half_hour_in_autumn) {
  business("Australia/Lord_Howe", all_night, 30);
  EXPECT_EQ(day("2026-04-05", sys_days{2026y / 4 / 1}),
            "00:00:00+11:00 00:30:00+11:00 01:00:00+11:00 01:30:00+11:00 01:30:00+10:30 02:00:00+10:30 "
            "02:30:00+10:30 03:00:00+10:30 03:30:00+10:30 04:00:00+10:30 04:30:00+10:30 05:00:00+10:30 "
            "05:30:00+10:30");
}

TEST_F(Slots, may_last_until_midnight) {
  business("America/New_York", R"({"sat": [["22:00", "24:00"]]})");
  EXPECT_EQ(day("2026-03-07", monday), "22:00:00-05:00 23:00:00-05:00");
}

TEST_F(Slots, that_overlap_an_appointment_are_not_free) {
  business("America/New_York", R"({"mon": [["10:00", "14:00"]]})");
  taken("apt_1", "2026-03-02 11:30-05", "2026-03-02 12:30-05");
  taken("apt_2", "2026-03-02 10:00-05", "2026-03-02 11:00-05", "'cancelled', null, null");
  EXPECT_EQ(day("2026-03-02", monday), "10:00:00-05:00 13:00:00-05:00");
}

TEST_F(Slots, that_are_held_are_free_for_the_holder_and_for_all_when_the_hold_has_ended) {
  business("America/New_York", R"({"mon": [["10:00", "12:00"]]})");
  taken("apt_1", "2026-03-02 10:00-05", "2026-03-02 11:00-05", "'held', '2026-03-02 08:05-05', 'call_1'");
  EXPECT_EQ(day("2026-03-02", monday), "11:00:00-05:00");
  auto holder = on_monday();
  holder.call = base::CallId{"call_1"};
  EXPECT_EQ(find(holder).size(), 2U);
  EXPECT_EQ(day("2026-03-02", monday + 5min), "10:00:00-05:00 11:00:00-05:00");
}

TEST_F(Slots, can_all_be_had_with_what_speaks_against_each) {
  business("America/New_York", R"({"mon": [["08:00", "11:00"]]})");
  taken("apt_1", "2026-03-02 10:00-05", "2026-03-02 11:00-05");
  auto search = on_monday();
  search.only_free = false;
  auto const found = find(search);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[0].too_soon);
  EXPECT_FALSE(found[1].too_soon || found[1].taken);
  EXPECT_TRUE(found[2].taken);
  search.moving = "apt_1";
  EXPECT_FALSE(find(search)[2].taken);
}

TEST_F(Slots, can_begin_at_a_time_of_the_tenants_clock) {
  business("America/New_York", R"({"mon": [["08:00", "18:00"]]})");
  auto search = on_monday();
  search.not_before_local = "2026-03-02T15:30:00";
  EXPECT_EQ(find(search).size(), 2U);
}

TEST_F(Slots, of_another_tenants_calendar_are_no_concern_of_ours) {
  business("America/New_York", R"({"mon": [["10:00", "11:00"]]})");
  sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Other')");
  taken("apt_1", "2026-03-02 10:00-05", "2026-03-02 11:00-05");
  sql(conninfo, "update appointments set tenant_id = 'ten_2'");
  EXPECT_EQ(day("2026-03-02", monday), "10:00:00-05:00");
}

TEST_F(Slots, are_found_at_once_in_a_full_calendar) {
  constexpr auto all_week = R"({"mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]], "wed": [["00:00", "24:00"]],
      "thu": [["00:00", "24:00"]], "fri": [["00:00", "24:00"]], "sat": [["00:00", "24:00"]], "sun": [["00:00", "24:00"]]})";
  business("UTC", all_week, 15);
  sql(conninfo,
      "insert into appointments (tenant_id, id, starts_at, ends_at, status) select 'ten_1', 'apt_' || n, "
      "'2026-03-02 14:00Z'::timestamptz + n * interval '15 minutes', "
      "'2026-03-02 14:15Z'::timestamptz + n * interval '15 minutes', 'confirmed' from generate_series(0, 2999) n");
  crm::SlotSearch search;
  search.now = monday;
  search.to_day = "2026-05-01";
  search.limit = 3;
  auto const began = std::chrono::steady_clock::now();
  auto const found = find(search);
  // Looking at every slot and every appointment takes several seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].starts_at, sys_days{2026y / 3 / 2} + 14h + 3000 * 15min);
}

}  // namespace
