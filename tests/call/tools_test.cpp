#include "gateway/call/tools.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

crm::VoiceAgent agent_with(std::vector<std::string> numbers) {
  crm::VoiceAgent agent;
  agent.transfer_numbers = std::move(numbers);
  return agent;
}

TEST(TransferTarget, is_the_number_asked_for_when_the_owner_has_allowed_it) {
  auto const agent = agent_with({"+14155550100", "+14155550101"});
  EXPECT_EQ(transfer_target(R"({"transfer_number":"+14155550101"})", agent).value(), "+14155550101");
  EXPECT_EQ(transfer_target(R"({"number":"+1 (415) 555-0100"})", agent).value(), "+14155550100");
}

TEST(TransferTarget, is_the_only_number_when_none_is_named) {
  EXPECT_EQ(transfer_target("{}", agent_with({"+14155550100"})).value(), "+14155550100");
  EXPECT_EQ(transfer_target("{}", agent_with({"+14155550100", "+14155550101"})).error().fault, base::Fault::protocol);
  EXPECT_EQ(transfer_target("{}", agent_with({})).error().fault, base::Fault::protocol);
}

TEST(TransferTarget, may_be_the_fallback_number) {
  auto agent = agent_with({});
  agent.fallback_number = "+14155550109";
  EXPECT_EQ(transfer_target("{}", agent).value(), "+14155550109");
}

TEST(TransferTarget, is_never_a_number_that_the_owner_has_not_allowed) {
  EXPECT_EQ(transfer_target(R"({"transfer_number":"+19005550100"})", agent_with({"+14155550100"})).error().fault,
            base::Fault::refused);
}

TEST(TransferTarget, is_refused_when_the_parameters_make_no_sense) {
  auto const agent = agent_with({"+14155550100"});
  EXPECT_EQ(transfer_target("[1]", agent).error().fault, base::Fault::protocol);
  EXPECT_EQ(transfer_target("{", agent).error().fault, base::Fault::protocol);
  EXPECT_EQ(transfer_target(R"({"transfer_number":"the front desk"})", agent).error().fault, base::Fault::protocol);
}

TEST(TransferFailure, has_one_word_for_each_cause) {
  EXPECT_EQ(transfer_failure_reason(base::Fault::protocol), "invalid_number");
  EXPECT_EQ(transfer_failure_reason(base::Fault::refused), "number_not_allowed");
  EXPECT_EQ(transfer_failure_reason(base::Fault::not_found), "call_not_in_progress");
  EXPECT_EQ(transfer_failure_reason(base::Fault::conflict), "call_not_in_progress");
  EXPECT_EQ(transfer_failure_reason(base::Fault::timed_out), "carrier_timed_out");
  EXPECT_EQ(transfer_failure_reason(base::Fault::unavailable), "carrier_unavailable");
}

}  // namespace
}  // namespace gateway
