// How long the end of a call took to reach those who wait for it, from histories made by hand.
#include "loadtest/chaos/delays.h"

#include <gtest/gtest.h>

#include "loadtest/chaos/limits.h"

namespace {

using namespace sim::chaos;
using What = Entry::What;
using std::chrono::milliseconds;

class CallDelays : public testing::Test {
 protected:
  void at(std::int64_t ms, What what, std::string id, std::string subject = {}, std::size_t cycle = 1) {
    history.push_back({what, cycle, std::move(id), std::move(subject), {}, ms});
  }
  /// Hung up after a second; the outcome is there `outcome` ms later, and the receiver knows `told` ms later.
  void call(std::string const& sid, std::int64_t outcome, std::int64_t told, std::size_t cycle = 1) {
    at(1000, What::call_hung_up, sid, {}, cycle);
    at(1000 + outcome, What::outcome_seen, sid, {}, cycle);
    at(1000 + told, What::delivered, "obx_" + sid, "call.ended call_" + sid, cycle);
    found.calls.push_back({sid, "completed", true, 1, 1, "call_" + sid});
  }
  DelayReport report() const { return measure_delays(history, found); }

  std::vector<Entry> history;
  Found found;
};

TEST_F(CallDelays, count_from_the_hang_up) {
  call("CA1", 40, 60);
  EXPECT_EQ(report().undisturbed.outcome.most_ms, 40);
  EXPECT_EQ(report().undisturbed.told.most_ms, 60);
  EXPECT_EQ(report().disturbed.outcome.count, 0);
}

TEST_F(CallDelays, of_a_cycle_with_a_fault_stand_apart) {
  call("CA1", 40, 60);
  call("CA2", 3000, 31'000, 2);
  at(500, What::fault_began, {}, {}, 2);
  EXPECT_EQ(report().undisturbed.outcome.most_ms, 40);
  EXPECT_EQ(report().disturbed.outcome.most_ms, 3000);
  EXPECT_EQ(report().disturbed.told.most_ms, 31'000);
}

TEST_F(CallDelays, of_a_repeated_delivery_count_until_the_first) {
  call("CA1", 40, 60);
  at(9000, What::delivered, "obx_CA1", "call.ended call_CA1");
  EXPECT_EQ(report().undisturbed.told.most_ms, 60);
}

TEST_F(CallDelays, of_a_text_message_count_from_the_confirmation_to_the_agent) {
  at(200, What::booked, "apt_1");
  at(450, What::sms_accepted, "SM1", "+12015550110 See you");
  found.messages.push_back({"msg_1", "SM1", "+12015550110 See you", "apt_1"});
  EXPECT_EQ(report().undisturbed.texted.most_ms, 250);
}

TEST_F(CallDelays, miss_an_outcome_that_is_there_and_that_nobody_saw_come) {
  call("CA1", 40, 60);
  std::erase_if(history, [](Entry const& each) { return each.what == What::outcome_seen; });
  EXPECT_EQ(report().undisturbed.outcome.count, 0);
  EXPECT_EQ(report().undisturbed.never_seen, 1);
}

TEST(Delay, has_percentiles_that_so_many_did_not_exceed) {
  std::vector<std::int64_t> samples;
  for (std::int64_t ms = 200; ms > 0; --ms) samples.push_back(ms);
  auto const delay = delay_of(std::move(samples));
  EXPECT_EQ(delay.p50_ms, 100);
  EXPECT_EQ(delay.p95_ms, 190);
  EXPECT_EQ(delay.p99_ms, 198);
  EXPECT_EQ(delay.most_ms, 200);
  EXPECT_EQ(delay_of({7}).p99_ms, 7);
  EXPECT_EQ(delay_of({}).count, 0);
}

TEST(Limits, name_what_took_too_long) {
  Limits const limits{milliseconds{1000}, milliseconds{10'000}, 20};
  Delays delays;
  delays.outcome.p99_ms = 1000;
  delays.told.p95_ms = 10'000;
  EXPECT_TRUE(exceeded(limits, delays, 20).empty());
  delays.outcome.p99_ms = 1001;
  ASSERT_EQ(exceeded(limits, delays, 20).size(), 1U);
  EXPECT_NE(exceeded(limits, delays, 20)[0].find("1001 ms"), std::string::npos);
  delays.told.p95_ms = 10'001;
  delays.texted.p95_ms = 10'001;
  delays.never_seen = 1;
  EXPECT_EQ(exceeded(limits, delays, 19).size(), 5U);
}

TEST(CallsAtOnce, are_those_whose_streams_are_open_together) {
  std::vector<Entry> history;
  auto const add = [&](What what, std::string id) { history.push_back({what, 1, std::move(id), {}, {}, 0}); };
  add(What::call_taken, "CA1");
  add(What::call_taken, "CA2");
  add(What::call_hung_up, "CA1");
  add(What::call_taken, "CA3");
  EXPECT_EQ(most_at_once(history), 2);
}

}  // namespace
