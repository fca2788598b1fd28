// The judge of a chaos run against histories made by hand: it must find what is missing and what is there twice.
#include "loadtest/chaos/check.h"

#include <gtest/gtest.h>

namespace {

using namespace sim::chaos;
using What = Entry::What;
using Kind = Finding::Kind;

Entry entry(What what, std::string id, std::string subject = {}, std::size_t cycle = 1) {
  Entry made;
  made.what = what;
  made.cycle = cycle;
  made.id = std::move(id);
  made.subject = std::move(subject);
  return made;
}

/// One call that books: everything was seen outside, and everything is where it belongs.
class Judge : public testing::Test {
 protected:
  std::vector<Entry> history{entry(What::call_placed, "CA1"),
                             entry(What::call_taken, "CA1"),
                             entry(What::booking_asked, "conv_1"),
                             entry(What::booked, "apt_1"),
                             entry(What::call_ended, "CA1"),
                             entry(What::delivered, "obx_1", "call.ended call_1"),
                             entry(What::delivered, "obx_2", "appointment.booked apt_1"),
                             entry(What::sms_accepted, "SM1", "+12015550110 See you")};
  Found found{.calls = {{"CA1", "completed", true, 1, 1}},
              .appointments = {{"apt_1", "ten_1 main", 0, 1'800'000, true}},
              .outbox = {{"obx_1", "integration", "call.ended", "done"},
                         {"obx_2", "integration", "appointment.booked", "done"},
                         {"obx_3", "sms", "sms.send", "done"}},
              .messages = {{"msg_1", "SM1", "+12015550110 See you"}},
              .in_journal = 0};
  Promises promises{.outcomes = true, .integrations = 1};

  Verdict verdict() const { return check(history, found, promises); }
  void expect_one(Kind kind, std::string const& about) const {
    auto const found_out = verdict();
    ASSERT_EQ(found_out.findings.size(), 1U) << about;
    EXPECT_EQ(found_out.findings[0].kind, kind);
    EXPECT_NE(found_out.findings[0].what.find(about), std::string::npos) << found_out.findings[0].what;
  }
  void forget(What what) {
    std::erase_if(history, [what](Entry const& each) { return each.what == what; });
  }
};

TEST_F(Judge, has_nothing_to_say_when_everything_happened_once) {
  EXPECT_TRUE(verdict().clean());
  EXPECT_EQ(verdict().repeats, std::vector<std::int64_t>{0});
}

TEST_F(Judge, misses_the_record_of_a_call_whose_stream_was_open) {
  found.calls.clear();
  expect_one(Kind::lost, "CA1");
}

TEST_F(Judge, does_not_miss_the_record_of_a_call_that_never_got_a_stream) {
  found.calls.clear();
  forget(What::call_taken);
  EXPECT_TRUE(verdict().clean());
}

TEST_F(Judge, does_not_judge_a_call_that_goes_on) {
  forget(What::call_ended);
  found.calls[0] = {"CA1", "in-progress", false, 0, 0};
  EXPECT_TRUE(verdict().clean());
}

TEST_F(Judge, misses_the_end_of_a_call_that_is_over) {
  found.calls[0] = {"CA1", "in-progress", false, 0, 0};
  expect_one(Kind::lost, "in-progress");
}

TEST_F(Judge, wants_one_record_and_one_outcome) {
  found.calls[0].outcomes = 0;
  expect_one(Kind::lost, "no outcome");
  found.calls[0].outcomes = 2;
  expect_one(Kind::doubled, "several outcomes");
  found.calls[0].outcomes = 1;
  found.calls.push_back(found.calls[0]);
  expect_one(Kind::doubled, "several records");
}

TEST_F(Judge, finds_a_record_of_a_call_that_was_never_placed) {
  found.calls.push_back({"CA2", "completed", true, 1, 1});
  expect_one(Kind::doubled, "CA2");
}

TEST_F(Judge, wants_the_end_of_each_call_told_to_each_system_once) {
  found.calls[0].endings_told = 0;
  expect_one(Kind::lost, "end of call CA1");
  found.calls[0].endings_told = 2;
  expect_one(Kind::doubled, "more than once");
}

TEST_F(Judge, misses_an_appointment_that_the_caller_was_promised) {
  found.appointments[0].stands = false;
  expect_one(Kind::lost, "apt_1");
}

TEST_F(Judge, allows_one_appointment_whose_answer_got_lost_and_none_that_nobody_asked_for) {
  forget(What::booked);
  EXPECT_TRUE(verdict().clean());
  found.appointments.push_back({"apt_2", "ten_1 main", 3'600'000, 5'400'000, true});
  expect_one(Kind::doubled, "2 appointments stand of 1");
}

TEST_F(Judge, finds_two_appointments_at_one_time) {
  history.push_back(entry(What::booking_asked, "conv_2"));
  found.appointments.push_back({"apt_2", "ten_1 main", 900'000, 2'700'000, true});
  expect_one(Kind::doubled, "overlap");
  found.appointments[1].calendar = "ten_2 main";
  EXPECT_TRUE(verdict().clean());
}

TEST_F(Judge, misses_a_delivery_that_the_outbox_believes_done) {
  std::erase_if(history, [](Entry const& each) { return each.id == "obx_1"; });
  expect_one(Kind::lost, "obx_1");
}

TEST_F(Judge, misses_what_is_still_in_the_outbox) {
  found.outbox[1].status = "parked";
  expect_one(Kind::lost, "parked");
}

TEST_F(Judge, counts_repeats_with_the_same_id_and_allows_them) {
  history.push_back(entry(What::delivered, "obx_1", "call.ended call_1", 2));
  EXPECT_TRUE(verdict().clean());
  EXPECT_EQ(verdict().repeats, (std::vector<std::int64_t>{0, 1}));
}

TEST_F(Judge, finds_the_same_event_under_two_ids) {
  history.push_back(entry(What::delivered, "obx_9", "call.ended call_1"));
  found.outbox.push_back({"obx_9", "integration", "call.ended", "done"});
  expect_one(Kind::doubled, "call.ended call_1");
}

TEST_F(Judge, finds_a_delivery_that_is_in_no_outbox) {
  history.push_back(entry(What::delivered, "obx_9"));
  expect_one(Kind::doubled, "obx_9");
}

TEST_F(Judge, wants_every_text_message_sent_once) {
  history.push_back(entry(What::sms_accepted, "SM2", "+12015550110 See you"));
  expect_one(Kind::doubled, "text message");
  forget(What::sms_accepted);
  expect_one(Kind::lost, "msg_1");
}

TEST_F(Judge, wants_nothing_left_in_the_journal) {
  found.in_journal = 2;
  expect_one(Kind::lost, "journal");
  found.in_journal.reset();
  EXPECT_TRUE(verdict().clean());
}

TEST_F(Judge, says_in_which_cycle_it_happened) {
  history.push_back(entry(What::call_placed, "CA2", {}, 3));
  history.push_back(entry(What::call_taken, "CA2", {}, 3));
  history.push_back(entry(What::call_ended, "CA2", {}, 3));
  auto const found_out = verdict();
  EXPECT_EQ(found_out.count(Kind::lost, 3), 1);
  EXPECT_EQ(found_out.count(Kind::lost, 1), 0);
  EXPECT_EQ(found_out.count(Kind::doubled), 0);
}

}  // namespace
