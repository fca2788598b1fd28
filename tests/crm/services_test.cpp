#include <gmock/gmock.h>

#include "crm/setup/service_setup.h"
#include "tests/crm/desk_scene.h"

namespace {

using nlohmann::json;
using testing::ElementsAre;

/// A dentist with two chairs; half-hours, as long as nobody says what is wanted.
class Services : public test::DeskTest {
 protected:
  void SetUp() override {
    DeskTest::SetUp();
    if (IsSkipped()) return;
    test::sql(conninfo, "update tenants set slot_minutes = 30");
    offers("Root canal", "90", "main");
    offers("Cleaning", "30", "hygienist");
  }
  void offers(std::string const& name, std::string const& minutes, std::string const& calendar) {
    test::sql(conninfo, "insert into services (tenant_id, id, name, minutes, calendar) values ('ten_1', 'svc_" + name +
                            "', '" + name + "', " + minutes + ", '" + calendar + "')");
  }
  std::string starts(json const& answer) {
    std::string all;
    for (auto const& slot : answer["slots"])
      all += (all.empty() ? "" : " ") + slot["start"].get<std::string>().substr(11, 5);
    return all;
  }
  std::string of_appointment(std::string const& what) {
    return value("string_agg(" + what + ", ', ' order by starts_at, calendar) from appointments");
  }
};

TEST_F(Services, take_their_own_time_from_what_is_open) {
  EXPECT_EQ(starts(ask("find_slots", {{"day", "2026-03-03"}, {"service", "root canal"}})), "09:00 09:30 10:00 10:30");
  EXPECT_EQ(starts(ask("find_slots", {{"day", "2026-03-03"}})), "09:00 09:30 10:00 10:30 11:00 11:30");
  ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}, {"service", " Root Canal "}});
  EXPECT_EQ(of_appointment("(ends_at - starts_at)::text || ' ' || calendar"), "01:30:00 main");
  EXPECT_EQ(starts(ask(caller(2), "find_slots", {{"day", "2026-03-03"}})), "10:30 11:00 11:30");
  EXPECT_EQ(starts(ask(caller(2), "find_slots", {{"day", "2026-03-03"}, {"service", "Root canal"}})), "10:30");
}

TEST_F(Services, of_different_calendars_do_not_take_each_others_time) {
  EXPECT_EQ(ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}, {"service", "cleaning"}})["ok"],
            true);
  EXPECT_EQ(ask(caller(2), "book_appointment",
                {{"start", "2026-03-03T09:00"}, {"name", "Bob"}, {"service", "root canal"}})["ok"],
            true);
  auto const third = ask(caller(3), "book_appointment", {{"start", "2026-03-03T09:00"}, {"service", "cleaning"}});
  EXPECT_EQ(third["reason"], "taken");
  EXPECT_EQ(third["slots"][0]["start"], "2026-03-03T09:30:00-05:00");
  EXPECT_EQ(of_appointment("calendar"), "hygienist, main");
}

TEST_F(Services, keep_their_calendar_and_length_when_they_move) {
  ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}, {"service", "cleaning"}});
  ask(caller(2), "book_appointment", {{"start", "2026-03-03T10:00"}, {"name", "Bob"}});
  EXPECT_EQ(ask("reschedule_appointment", {{"new_start", "2026-03-03T10:00"}})["ok"], true) << "another's calendar";
  EXPECT_EQ(of_appointment("calendar || ' ' || (ends_at - starts_at)"), "hygienist 00:30:00, main 00:30:00");
}

TEST_F(Services, are_held_in_their_own_calendar) {
  EXPECT_EQ(ask("hold_slot", {{"start", "2026-03-03T09:00"}, {"service", "cleaning"}})["ok"], true);
  EXPECT_EQ(of_appointment("calendar || ' ' || status"), "hygienist held");
}

TEST_F(Services, that_are_unknown_or_inactive_take_what_everything_takes) {
  test::sql(conninfo, "update services set status = 'inactive' where name = 'Cleaning'");
  ask("book_appointment", {{"start", "2026-03-03T09:00"}, {"name", "Ada"}, {"service", "cleaning"}});
  ask("book_appointment", {{"start", "2026-03-03T09:30"}, {"name", "Ada"}, {"service", "whitening"}});
  EXPECT_EQ(of_appointment("calendar || ' ' || (ends_at - starts_at)"), "main 00:30:00, main 00:30:00");
}

TEST(ServiceChanges, get_a_line_for_each_fault) {
  crm::Service service;
  EXPECT_THAT(crm::apply({.name = " ", .minutes = 4, .calendar = "", .status = "on"}, service),
              ElementsAre("a service needs a name", "a service needs a calendar", "minutes: 4 is not between 5 and 480",
                          "status: active or inactive"));
  EXPECT_TRUE(crm::apply({.name = " Cleaning ", .minutes = 45, .calendar = {}, .status = "inactive"}, service).empty());
  EXPECT_EQ(service.name, "Cleaning");
  EXPECT_FALSE(service.active);
}

}  // namespace
