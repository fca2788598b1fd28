#include "gateway/twilio/sms.h"

#include <gtest/gtest.h>

#include "gateway/twilio/message_status.h"

namespace {

using Kind = crm::DeliveryFault::Kind;

crm::DeliveryFault fault(unsigned status, std::string code) {
  return gateway::twilio::sms_fault(
      net::Response::json(status, R"({"code": )" + code + R"(, "message": "To +15550002222"})"), {});
}

TEST(TwilioSms, knows_which_refusals_are_final) {
  for (auto const* code : {"21211", "21217", "21602", "21604", "21606", "21608", "21610", "21612", "21614", "21617"})
    EXPECT_EQ(fault(400, code).kind, Kind::rejected) << code;
  EXPECT_EQ(fault(401, "20003").kind, Kind::needs_reauth);
  EXPECT_EQ(fault(400, "20005").kind, Kind::needs_reauth);
  EXPECT_EQ(fault(429, "20429").kind, Kind::rate_limited);
  EXPECT_EQ(fault(400, "21611").kind, Kind::rate_limited);
  EXPECT_EQ(fault(503, "20503").kind, Kind::ambiguous);
  EXPECT_EQ(gateway::twilio::sms_fault(net::Response::text(502, "<html>"), {}).kind, Kind::ambiguous);
}

TEST(TwilioSms, repeats_no_number_in_its_words) {
  EXPECT_EQ(fault(400, "21211").detail, "Twilio answered 400, code 21211");
}

TEST(TwilioSms, says_that_the_recipient_has_answered_stop) {
  EXPECT_EQ(fault(400, "21610").detail,
            "Twilio answered 400, code 21610: the recipient has answered STOP and gets no more messages");
}

TEST(TwilioMessageStatus, is_news_when_it_is_one_of_four_words) {
  std::string const sid = "SM0123456789abcdef0123456789abcdef";
  auto const decode = [&](std::string status) {
    return gateway::twilio::decode_message_status({{"MessageSid", sid}, {"MessageStatus", std::move(status)}});
  };
  for (auto const* word : {"sent", "delivered", "undelivered", "failed"}) EXPECT_EQ(decode(word)->status, word);
  for (auto const* word : {"queued", "sending", "accepted", "", "flying"}) EXPECT_EQ(decode(word)->status, "") << word;
  EXPECT_EQ(decode("sent")->sid, sid);
  EXPECT_FALSE(gateway::twilio::decode_message_status({{"MessageSid", "SM1"}, {"MessageStatus", "sent"}}));
}

TEST(TwilioAccounts, have_a_first_one) {
  gateway::twilio::Accounts const none{{}};
  EXPECT_TRUE(none.first().empty());
  gateway::twilio::Accounts const two{{{base::AccountSid{"AC2"}, {}}, {base::AccountSid{"AC1"}, {}}}};
  EXPECT_EQ(two.first().text(), "AC2");
}

}  // namespace
