#include "crm/setup/tenant_changes.h"

#include <gmock/gmock.h>

#include "crm/store/business_hours_json.h"

namespace {

using crm::Tenant;
using crm::TenantChanges;
using testing::ElementsAre;
using testing::IsEmpty;

std::string hours_of(Tenant const& tenant, std::size_t day) {
  return crm::hours_text(tenant.opening.days.at(day));
}

std::vector<std::string> faults_of(TenantChanges const& changes) {
  Tenant tenant;
  return crm::apply(changes, tenant);
}

std::vector<std::string> faults_of_hours(std::vector<std::string> hours) {
  TenantChanges changes;
  changes.opening_hours = std::move(hours);
  return faults_of(changes);
}

TEST(TenantChanges, replace_what_they_name_and_leave_the_rest) {
  Tenant tenant;
  tenant.name = "Acme";
  TenantChanges changes;
  changes.timezone = "Europe/Berlin";
  changes.opening_hours = {"mon=13:00-17:00,9:00-12:00", "sat=10:00-24:00", "fri=closed"};
  changes.calling_hours = "09:00-20:00";
  changes.confirm_by_sms = false;
  changes.slot_minutes = 45;
  EXPECT_THAT(crm::apply(changes, tenant), IsEmpty());
  EXPECT_EQ(tenant.name, "Acme");
  EXPECT_EQ(tenant.timezone, "Europe/Berlin");
  EXPECT_EQ(hours_of(tenant, 0), "09:00-12:00,13:00-17:00");
  EXPECT_EQ(hours_of(tenant, 1), "09:00-17:00");
  EXPECT_EQ(hours_of(tenant, 4), "closed");
  EXPECT_EQ(hours_of(tenant, 5), "10:00-24:00");
  EXPECT_EQ(crm::hours_text(tenant.calling_hours), "09:00-20:00");
  EXPECT_FALSE(tenant.confirm_by_sms);
  EXPECT_EQ(tenant.slot_minutes, 45);
}

TEST(TenantChanges, get_a_line_for_each_fault) {
  TenantChanges changes;
  changes.name = " ";
  changes.timezone = "Mars/Base";
  changes.status = "asleep";
  changes.opening_hours = {"mon=12:00-09:00"};
  changes.calling_hours = "21:00-08:00";
  changes.max_concurrent_calls = 0;
  changes.slot_minutes = 4;
  changes.lead_minutes = -1;
  changes.booking_days = 367;
  EXPECT_THAT(
      faults_of(changes),
      ElementsAre("a tenant needs a name", "there is no time zone 'Mars/Base'",
                  "status: 'asleep' is not active or suspended",
                  "hours: '12:00-09:00' of mon is not FROM-TO of one day, like 09:00-12:00",
                  "calling hours: '21:00-08:00' is not FROM-TO of one day, like 08:00-21:00",
                  "max concurrent calls: 0 is not between 1 and 100000", "slot minutes: 4 is not between 5 and 480",
                  "lead minutes: -1 is not between 0 and 43200", "booking days: 367 is not between 1 and 366"));
}

TEST(TenantChanges, refuse_hours_that_cannot_be) {
  EXPECT_THAT(faults_of_hours({"mon=09:00-12:00,11:00-13:00"}),
              ElementsAre("hours: 09:00-12:00 and 11:00-13:00 of mon overlap"));
  EXPECT_THAT(faults_of_hours({"mon=09:00-12:00,12:00-13:00"}), IsEmpty()) << "they only meet";
  EXPECT_THAT(faults_of_hours({"tue=closed", "tue=09:00-10:00"}), ElementsAre("hours: tue is given twice"));
  EXPECT_EQ(faults_of_hours({"monday=09:00-10:00"}).size(), 1U);
  for (std::string const hours : {"", "09:00", "09:00-", "09:00-24:01", "25:00-26:00", "09:60-10:00", "09:00-09:00",
                                  "009:00-10:00", "9-10", "-1:00-10:00", "09:00-10:00,", "closed,09:00-10:00"}) {
    EXPECT_EQ(faults_of_hours({"mon=" + hours}).size(), 1U) << hours;
  }
}

TEST(TenantChanges, say_what_differs) {
  Tenant before;
  auto after = before;
  EXPECT_THAT(crm::differences(before, after), IsEmpty());
  after.name = "Acme";
  after.opening.days.at(6) = {{std::chrono::hours{9}, std::chrono::hours{10}}};
  EXPECT_THAT(crm::differences(before, after), ElementsAre("name", "opening_hours"));
}

TEST(BusinessHours, are_the_same_after_a_way_through_the_database) {
  auto hours = crm::OpeningHours::usual();
  hours.days.at(2) = {};
  hours.days.at(6) = {{std::chrono::minutes{0}, std::chrono::hours{24}}};
  EXPECT_EQ(crm::read_opening_hours(crm::opening_hours_json(hours)), hours);
  crm::HoursOfDay const calling{std::chrono::minutes{510}, std::chrono::hours{20}};
  EXPECT_EQ(crm::read_calling_hours(crm::calling_hours_json(calling)), calling);
}

TEST(BusinessHours, that_cannot_be_read_are_closed) {
  EXPECT_EQ(crm::read_opening_hours("[]"), crm::OpeningHours{});
  auto const some = crm::read_opening_hours(R"({"mon": [["09:00:00", "10:00"], ["x", "12:00"], [1]], "tue": 5})");
  EXPECT_EQ(crm::hours_text(some.days.at(0)), "09:00-10:00");
  EXPECT_EQ(crm::read_calling_hours(R"({"from": "22:00", "to": "06:00"})"), crm::usual_calling_hours);
}

}  // namespace
