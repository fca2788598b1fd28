#include "gateway/call/read_back.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

crm::CallTurn said(std::string text, std::string heard, bool interrupted = false) {
  crm::CallTurn turn;
  turn.generated_ms = static_cast<std::int64_t>(text.size()) * 50;
  turn.heard_ms = static_cast<std::int64_t>(heard.size()) * 50;
  turn.said = std::move(text);
  turn.heard = std::move(heard);
  turn.interrupted = interrupted;
  return turn;
}
crm::CallTurn said(std::string const& text) {
  return said(text, text);
}
crm::CallTurn caller_said(std::string text) {
  crm::CallTurn turn;
  turn.role = crm::Speaker::caller;
  turn.said = turn.heard = std::move(text);
  return turn;
}

using Turns = std::vector<crm::CallTurn>;

/// What was said when the tool was answered, and what has been said now.
bool heard(Turns const& before, Turns const& now, bool agent_goes_on = false) {
  return ReadBack{"apt_1", before}.is_heard(now, agent_goes_on);
}

TEST(ReadBack, has_been_heard_when_the_next_turn_was_heard_to_its_end) {
  EXPECT_TRUE(heard({said("Hello.")}, {said("Hello."), caller_said("Ten."), said("You are booked for ten.")}));
  EXPECT_TRUE(heard({}, {said("You are booked for ten.")}));
}

TEST(ReadBack, has_not_been_heard_by_what_was_said_before_the_answer) {
  EXPECT_FALSE(heard({said("At 10:30?")}, {said("At 10:30?")}));
  EXPECT_FALSE(heard({said("At 10:30?", "At")}, {said("At 10:30?"), caller_said("Yes.")}));
  EXPECT_FALSE(heard({}, {}));
}

TEST(ReadBack, has_not_been_heard_while_it_is_being_said) {
  EXPECT_FALSE(heard({}, {said("You are booked for ten.")}, true));
  EXPECT_FALSE(heard({}, {said("You are booked for ten.", "You are")}));
}

TEST(ReadBack, has_been_heard_when_it_was_interrupted_after_the_time) {
  EXPECT_TRUE(heard({}, {said("You are booked for 10:30. Anything else?", "You are booked for 10:30.", true)}));
}

TEST(ReadBack, has_not_been_heard_when_it_was_interrupted_before_the_time) {
  EXPECT_FALSE(heard({}, {said("You are booked for 3 March at 10:30.", "You are booked for 3 March", true)}));
  EXPECT_FALSE(heard({}, {said("You are booked for ten. Anything else?", "You are booked for ten.", true)}));
}

TEST(ReadBack, may_be_said_again_after_an_interruption) {
  Turns now{said("You are booked for 10:30.", "You are", true), caller_said("What?"), said("At 10:30.")};
  EXPECT_TRUE(heard({}, now));
  now.back() = said("Never mind, goodbye!");
  EXPECT_FALSE(heard({}, now)) << "a goodbye is no read-back";
}

TEST(ReadBack, may_come_in_the_turn_that_called_the_tool) {
  Turns const before{said("Let me book 10:30.")};
  EXPECT_TRUE(heard(before, {said("Let me book 10:30. Done, on Monday at 10:30.")}));
  EXPECT_FALSE(heard(before, {said("Let me book 10:30. Done, on Monday at 10:30.", "Let me book 10:30. Done,", true)}));
}

TEST(ReadBack, is_not_the_rest_of_what_was_said_before_the_answer) {
  auto before = said("Let me book 10:30.", "Let me");
  before.generated_ms = 300;
  EXPECT_FALSE(heard({before}, {said("Let me book 10:30.")}));
}

TEST(ReadBack, has_not_been_heard_when_a_part_of_it_was_lost_on_the_way) {
  auto turn = said("You are booked for ten.");
  turn.heard_ms = *turn.generated_ms / 2;
  EXPECT_FALSE(heard({}, {turn}));
}

}  // namespace
}  // namespace gateway
