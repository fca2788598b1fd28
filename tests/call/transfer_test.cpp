#include <gmock/gmock.h>

#include "gateway/call/call.h"
#include "tests/call/call_scene.h"

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallScene;
using Kind = AgentLegEnd::Kind;
using ::testing::HasSubstr;

class Transfer : public ::testing::Test {
 protected:
  Transfer() {
    call.plan_agent->transfer_numbers = {"+14155550100"};
    call.starts();
  }
  std::string failure() {
    auto const& answers = call.conversation().answers;
    if (answers.empty() || !answers.back().is_error) return "none";
    auto const& text = answers.back().result;
    auto const from = text.find("\"reason\":\"") + 10;
    return text.substr(from, text.find('"', from) - from);
  }
  CallScene call;
};

TEST_F(Transfer, hands_the_caller_to_the_person) {
  call.agent_calls("transfer_to_number");
  EXPECT_EQ(call.carrier.transfers, std::vector<std::string>{"+14155550100 as +15550001111"});
  EXPECT_EQ(failure(), "none");
  call.passes(seconds{600});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_TRUE(call.conversation().was_closed);
  EXPECT_EQ(call.call()->after_dial(DialEnd::completed).what, NextStep::Do::hang_up);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "transferred");
}

TEST_F(Transfer, comes_back_to_the_agent_when_the_person_is_busy) {
  call.agent_calls("transfer_to_number");
  call.passes(seconds{20});
  EXPECT_EQ(call.call()->after_dial(DialEnd::busy).what, NextStep::Do::stream);
  call.stream_starts();
  ASSERT_EQ(call.agents.diaries.size(), 2U);
  EXPECT_THAT(call.conversation().told.at(0), HasSubstr("busy"));
  call.caller_speaks(milliseconds{200});
  EXPECT_GE(call.conversation().heard.size(), 1600U);
  call.stream_ends(CallerLegEnd::stopped);
  call.status(crm::CallStatus::completed);
  call.passes(seconds{1});
  EXPECT_EQ(call.ending(), "caller_hung_up");
}

TEST_F(Transfer, says_why_it_failed) {
  for (auto const& [fault, reason] : {std::pair{base::Fault::refused, "number_not_allowed"},
                                      {base::Fault::not_found, "call_not_in_progress"},
                                      {base::Fault::unavailable, "carrier_unavailable"}}) {
    call.carrier.transfer_result = base::fail(fault, "");
    call.agent_calls("transfer_to_number");
    EXPECT_EQ(failure(), reason);
  }
  call.agent_calls("transfer_to_number", R"({"transfer_number":"+19005550100"})");
  EXPECT_EQ(failure(), "number_not_allowed");
  EXPECT_FALSE(call.line().is_over);
}

TEST_F(Transfer, gives_up_on_a_carrier_that_does_not_answer_but_spares_a_person_who_may_be_ringing) {
  call.carrier.answer_takes = seconds{60};
  call.agent_calls("transfer_to_number");
  call.passes(milliseconds{8100});
  EXPECT_EQ(failure(), "carrier_timed_out");
  call.carrier.answer_takes = milliseconds{0};
  call.stream_ends(CallerLegEnd::stopped);
  call.passes(seconds{120});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_FALSE(call.is_over());
}

TEST_F(Transfer, stays_with_the_agent_when_the_person_was_busy_before_the_carrier_had_answered_us) {
  call.carrier.answer_takes = seconds{3};
  call.carrier.on_transfer = {};
  call.agent_calls("transfer_to_number");
  call.passes(seconds{1});
  call.stream_ends(CallerLegEnd::stopped);
  EXPECT_EQ(call.call()->after_dial(DialEnd::busy).what, NextStep::Do::stream);
  call.stream_starts();
  call.passes(seconds{5});
  EXPECT_FALSE(call.line().is_over);
  EXPECT_TRUE(call.agents.newest && call.agents.newest->is_running());
}

TEST_F(Transfer, is_not_hung_up_by_an_agent_that_leaves_meanwhile) {
  call.carrier.answer_takes = seconds{1};
  call.agent_calls("transfer_to_number");
  call.agent_ends(Kind::finished);
  call.passes(seconds{60});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_FALSE(call.is_over());
}

TEST_F(Transfer, outlives_our_stopping) {
  call.agent_calls("transfer_to_number");
  call.passes(seconds{20});
  call.call()->shut_down();
  call.passes(seconds{1});
  EXPECT_EQ(call.carrier.hang_ups, 0);
  EXPECT_TRUE(call.is_over());
  EXPECT_EQ(call.ending(), "transferred");
}
}  // namespace
}  // namespace gateway
