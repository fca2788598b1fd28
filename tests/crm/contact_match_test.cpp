// Who was on the phone: the ordered rules, without a database.
#include "crm/outcome/contact_match.h"

#include <gtest/gtest.h>

namespace {

using crm::ContactCandidates;
using crm::ContactId;
using crm::ContactMatch;
using crm::decide_contact;

ContactId con(int number) {
  return ContactId{"con_" + std::to_string(number)};
}

crm::LearnedContact with_number() {
  return {.phone = "+15550002222"};
}

TEST(ContactMatchRules, take_whose_own_number_it_is_before_anything_else) {
  ContactCandidates const known{
      .by_call = {con(2)}, .by_phone = {con(1)}, .by_further_phone = {con(3), con(4)}, .by_email = {con(5)}};
  auto const decision = decide_contact(known, with_number());
  EXPECT_EQ(decision.match, ContactMatch::phone);
  EXPECT_EQ(decision.contact, con(1));
}

TEST(ContactMatchRules, call_a_contact_that_this_call_brought_created) {
  ContactCandidates const known{.by_phone = {con(1)}, .is_new = true};
  EXPECT_EQ(decide_contact(known, with_number()).match, ContactMatch::created);
  EXPECT_EQ(decide_contact(known, with_number()).contact, con(1));
}

TEST(ContactMatchRules, take_a_further_number_of_one_contact) {
  auto const decision = decide_contact({.by_further_phone = {con(3)}, .by_email = {con(5)}}, with_number());
  EXPECT_EQ(decision.match, ContactMatch::further_phone);
  EXPECT_EQ(decision.contact, con(3));
}

TEST(ContactMatchRules, leave_a_shared_number_to_a_person) {
  auto const decision = decide_contact({.by_further_phone = {con(3), con(4)}}, with_number());
  EXPECT_EQ(decision.match, ContactMatch::ambiguous);
  EXPECT_EQ(decision.contact, std::nullopt);
  EXPECT_EQ(decision.candidates, (std::vector{con(3), con(4)}));
}

TEST(ContactMatchRules, let_an_address_decide_between_those_who_share_a_number) {
  auto const decision =
      decide_contact({.by_further_phone = {con(3), con(4)}, .by_email = {con(4), con(9)}}, with_number());
  EXPECT_EQ(decision.match, ContactMatch::email);
  EXPECT_EQ(decision.contact, con(4));
}

TEST(ContactMatchRules, let_a_name_decide_between_those_who_share_a_number) {
  auto const decision = decide_contact(
      {.by_further_phone = {con(3), con(4)}, .by_further_phone_and_name = {con(3)}, .by_email = {con(9)}},
      with_number());
  EXPECT_EQ(decision.match, ContactMatch::further_phone);
  EXPECT_EQ(decision.contact, con(3));
}

TEST(ContactMatchRules, follow_the_desk_among_those_who_share_a_number) {
  auto const decision = decide_contact({.by_call = {con(4)}, .by_further_phone = {con(3), con(4)}}, with_number());
  EXPECT_EQ(decision.match, ContactMatch::further_phone);
  EXPECT_EQ(decision.contact, con(4));
}

TEST(ContactMatchRules, take_the_address_of_exactly_one_contact) {
  EXPECT_EQ(decide_contact({.by_email = {con(5)}}, with_number()).match, ContactMatch::email);
  auto const several = decide_contact({.by_email = {con(5), con(6)}}, with_number());
  EXPECT_EQ(several.match, ContactMatch::ambiguous);
  EXPECT_EQ(several.candidates.size(), 2U);
}

TEST(ContactMatchRules, create_whom_nobody_knows_when_there_is_a_number) {
  EXPECT_EQ(decide_contact({}, with_number()), (crm::ContactDecision{ContactMatch::created, std::nullopt, {}}));
  EXPECT_EQ(decide_contact({}, {}), (crm::ContactDecision{ContactMatch::withheld, std::nullopt, {}}));
}

TEST(ContactMatchRules, know_a_withheld_caller_by_the_appointment_they_made) {
  EXPECT_EQ(decide_contact({.by_call = {con(2)}}, {}).contact, con(2));
}

struct Lesson {
  crm::CallRecord call;
  void tool(std::string name, std::string parameters, std::string result = R"({"ok":true})") {
    crm::CallToolCall asked;
    asked.name = std::move(name);
    asked.parameters_json = std::move(parameters);
    asked.is_error = !result.contains(R"("ok":true)");
    asked.result_json = std::move(result);
    call.tool_calls.push_back(std::move(asked));
  }
  crm::LearnedContact learned() const { return learn_contact(call, crm::read_tool_calls(call.tool_calls)); }
};

TEST(WhatACallTeaches, is_the_last_word_of_tools_that_worked) {
  Lesson lesson{{.from = "+15550002222", .to = "+15550001111"}};
  lesson.tool("update_contact", R"({"name":"Ada","email":"ADA@x.org"})");
  lesson.tool("book_appointment", R"({"name":"Ada Byron","phone":"415 555 0123"})");
  lesson.tool("update_contact", R"({"name":"Nobody"})", R"({"ok":false,"reason":"invalid"})");
  lesson.tool("find_slots", R"({"name":"Also nobody"})");
  auto const learned = lesson.learned();
  EXPECT_EQ(learned.name, "Ada Byron");
  EXPECT_EQ(learned.email, "ada@x.org");
  EXPECT_EQ(learned.phone, "+15550002222");
  EXPECT_EQ(learned.dictated, "+14155550123");
}

TEST(WhatACallTeaches, is_about_the_person_whoever_called) {
  Lesson lesson{{.direction = crm::CallDirection::outbound, .from = "+15550001111", .to = "+15550002222"}};
  EXPECT_EQ(lesson.learned().phone, "+15550002222");
}

TEST(WhatACallTeaches, lets_name_and_number_stand_for_a_withheld_one) {
  for (auto const* nobody : {"", "anonymous", "Restricted", "sip:x@example.com"}) {
    Lesson lesson{{.from = nobody, .to = "+15550001111"}};
    lesson.tool("take_message", R"({"message":"Call me","phone":"+14155550123"})");
    EXPECT_EQ(lesson.learned().phone, "") << nobody;
    lesson.tool("take_message", R"({"message":"Call me","name":"Ada","phone":"+14155550123"})");
    EXPECT_EQ(lesson.learned().phone, "+14155550123") << nobody;
  }
}

}  // namespace
