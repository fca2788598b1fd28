#include "gateway/twilio/call_status.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace {

using namespace gateway::twilio;

constexpr std::array all{CallStatus::queued,      CallStatus::initiated, CallStatus::ringing,
                         CallStatus::in_progress, CallStatus::completed, CallStatus::busy,
                         CallStatus::no_answer,   CallStatus::failed,    CallStatus::canceled};

TEST(CallStatus, reads_what_it_writes) {
  for (auto const status : all) EXPECT_EQ(parse_call_status(to_string(status)), status);
  EXPECT_EQ(parse_call_status("in-progress"), CallStatus::in_progress);
  EXPECT_EQ(parse_call_status("cancelled"), std::nullopt);
  EXPECT_EQ(parse_call_status("Completed"), std::nullopt);
  EXPECT_EQ(parse_call_status(""), std::nullopt);
}

TEST(CallStatus, is_terminal_from_completed_on) {
  for (auto const status : all) EXPECT_EQ(is_terminal(status), rank(status) == 4);
  EXPECT_FALSE(is_terminal(CallStatus::in_progress));
  EXPECT_TRUE(is_terminal(CallStatus::canceled));
}

TEST(CallProgress, reaches_the_same_end_in_whatever_order_events_arrive) {
  struct Event {
    CallStatus status;
    int sequence;
  };
  std::vector<Event> const story{
      {CallStatus::initiated, 0}, {CallStatus::ringing, 1}, {CallStatus::in_progress, 2}, {CallStatus::completed, 3}};
  std::vector<std::size_t> order{0, 1, 2, 3, 0, 3};  // two of them arrive twice
  std::ranges::sort(order);
  do {
    CallProgress call;
    for (auto const i : order) call.merge(story[i].status, story[i].sequence);
    ASSERT_EQ(call.status, CallStatus::completed);
    ASSERT_EQ(call.sequence, 3);
  } while (std::ranges::next_permutation(order).found);
}

TEST(CallProgress, never_steps_back) {
  CallProgress call;
  EXPECT_TRUE(call.merge(CallStatus::in_progress, 2));
  EXPECT_FALSE(call.merge(CallStatus::ringing, 1));
  EXPECT_FALSE(call.merge(CallStatus::ringing, std::nullopt));
  EXPECT_FALSE(call.merge(CallStatus::in_progress, 2));
  EXPECT_EQ(call.status, CallStatus::in_progress);
}

TEST(CallProgress, keeps_its_first_ending) {
  CallProgress call;
  EXPECT_TRUE(call.merge(CallStatus::busy, 2));
  EXPECT_FALSE(call.merge(CallStatus::completed, 3));
  EXPECT_EQ(call.status, CallStatus::busy);
}

TEST(CallProgress, takes_the_only_callback_of_an_inbound_call) {
  CallProgress call{.status = CallStatus::in_progress};
  EXPECT_TRUE(call.merge(CallStatus::completed, std::nullopt));
}

TEST(DialStatus, reads_what_it_writes) {
  for (auto const status : {DialStatus::completed, DialStatus::answered, DialStatus::busy, DialStatus::no_answer,
                            DialStatus::failed, DialStatus::canceled}) {
    EXPECT_EQ(parse_dial_status(to_string(status)), status);
  }
  EXPECT_EQ(parse_dial_status("in-progress"), std::nullopt);
}

}  // namespace
