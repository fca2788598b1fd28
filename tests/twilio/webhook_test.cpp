#include "gateway/twilio/webhook.h"

#include <gtest/gtest.h>

#include "gateway/twilio/timestamp.h"

namespace {

using namespace gateway::twilio;
using namespace std::chrono_literals;

std::string const call_sid = "CA0123456789abcdef0123456789ABCDEF";
std::string const account_sid = "AC00000000000000000000000000000001";

net::Form inbound_call() {
  auto form = net::decode_form(
      "Called=%2B15005550006&ToState=CA&CallerCountry=US&Direction=inbound&CallerState=CA&ToZip=&CallSid=" + call_sid +
      "&To=%2B15005550006&CallerZip=94105&ToCountry=US&ApiVersion=2010-04-01&CalledZip=&CalledCity=&CallStatus=ringing&"
      "From=%2B14155550100&AccountSid=" +
      account_sid +
      "&CalledCountry=US&CallerCity=SAN+FRANCISCO&Caller=%2B14155550100&"
      "FromCountry=US&ToCity=&FromCity=SAN+FRANCISCO&CalledState=CA&FromZip=94105&FromState=CA");
  return form.value();
}

net::Form with(net::Form form, std::string const& name, std::string value) {
  for (auto& [key, old] : form) {
    if (key == name) {
      old = std::move(value);
      return form;
    }
  }
  form.emplace_back(name, std::move(value));
  return form;
}

TEST(Webhook, reads_a_captured_inbound_call) {
  auto const call = decode_voice_webhook(inbound_call(), "token-1");
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->call_sid.text(), call_sid);
  EXPECT_EQ(call->account_sid.text(), account_sid);
  EXPECT_TRUE(call->parent_call_sid.empty());
  EXPECT_EQ(call->from, "+14155550100");
  EXPECT_EQ(call->to, "+15005550006");
  EXPECT_EQ(call->direction, Direction::inbound);
  EXPECT_EQ(call->call_status, CallStatus::ringing);
  EXPECT_EQ(call->forwarded_from, "");
  EXPECT_EQ(call->idempotency_token, "token-1");
}

TEST(Webhook, reads_what_twilio_sends_sometimes) {
  auto form = inbound_call();
  for (auto const& [name, value] : net::Form{{"ForwardedFrom", "+15005550009"},
                                             {"CallerName", "ZOË MÜLLER"},
                                             {"StirVerstat", "TN-Validation-Passed-A"},
                                             {"CallToken", "opaque"},
                                             {"AnsweredBy", "human"},
                                             {"Digits", "1#"},
                                             {"SomethingNew", "x"},
                                             {"ParentCallSid", "CA00000000000000000000000000000009"}}) {
    form = with(std::move(form), name, value);
  }
  auto const call = decode_voice_webhook(with(form, "Direction", "outbound-api"));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->forwarded_from, "+15005550009");
  EXPECT_EQ(call->caller_name, "ZOË MÜLLER");
  EXPECT_EQ(call->stir_verstat, "TN-Validation-Passed-A");
  EXPECT_EQ(call->call_token, "opaque");
  EXPECT_EQ(call->answered_by, "human");
  EXPECT_EQ(call->digits, "1#");
  EXPECT_EQ(call->parent_call_sid.text(), "CA00000000000000000000000000000009");
  EXPECT_EQ(call->direction, Direction::outbound);
}

TEST(Webhook, takes_any_caller_that_is_not_a_number) {
  for (auto const* from :
       {"anonymous", "unknown", "", "client:alice", "sip:bob@example.com;transport=tls", "7378742833"}) {
    auto const call = decode_voice_webhook(with(inbound_call(), "From", from));
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(call->from, from);
  }
}

TEST(Webhook, names_a_missing_or_malformed_call_sid) {
  for (auto const& sid :
       {std::string{}, std::string{"CA123"}, "MZ" + call_sid.substr(2), call_sid + "0", "CA" + std::string(32, 'g')}) {
    auto const form = with(inbound_call(), "CallSid", sid);
    auto const refused = [](auto const& result) { return !result && result.error().fault == base::Fault::protocol; };
    EXPECT_TRUE(refused(decode_voice_webhook(form))) << sid;
    EXPECT_TRUE(refused(decode_status_callback(form))) << sid;
    EXPECT_TRUE(refused(decode_dial_result(form))) << sid;
    EXPECT_TRUE(refused(decode_record_result(form))) << sid;
    EXPECT_TRUE(refused(decode_stream_status(form))) << sid;
  }
  EXPECT_FALSE(decode_voice_webhook({}).has_value());
}

TEST(Webhook, keeps_no_value_of_a_sid_that_is_malformed) {
  auto const call =
      decode_voice_webhook(with(with(inbound_call(), "AccountSid", "AC1' or '1'='1"), "ParentCallSid", "x"));
  ASSERT_TRUE(call.has_value());
  EXPECT_TRUE(call->account_sid.empty());
  EXPECT_TRUE(call->parent_call_sid.empty());
}

TEST(Webhook, cuts_free_texts_between_characters_and_drops_oversized_tokens) {
  std::string long_name;
  for (int i = 0; i < 200; ++i) long_name += "日";
  auto form = with(inbound_call(), "CallerName", long_name);
  form = with(form, "From", std::string(5000, '1'));
  form = with(form, "CallToken", std::string(5000, 't'));
  auto const call = decode_voice_webhook(form, std::string(5000, 'i'));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->caller_name, long_name.substr(0, 255));
  EXPECT_EQ(call->from.size(), 256U);
  EXPECT_EQ(call->call_token, "");
  EXPECT_EQ(call->idempotency_token, "");
}

TEST(Webhook, reads_an_unknown_call_status_as_absent) {
  EXPECT_EQ(decode_voice_webhook(with(inbound_call(), "CallStatus", "levitating"))->call_status, std::nullopt);
}

TEST(Webhook, reads_the_captured_final_progress_event) {
  auto form = inbound_call();
  for (auto const& [name, value] : net::Form{{"CallStatus", "completed"},
                                             {"CallbackSource", "call-progress-events"},
                                             {"SequenceNumber", "3"},
                                             {"CallDuration", "49"},
                                             {"Duration", "1"},
                                             {"SipResponseCode", "200"},
                                             {"Timestamp", "Sun, 25 Mar 2018 09:53:19 +0000"}}) {
    form = with(std::move(form), name, value);
  }
  EXPECT_TRUE(is_progress_event(form));
  EXPECT_FALSE(is_progress_event(inbound_call()));
  auto const event = decode_status_callback(form);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->status, CallStatus::completed);
  EXPECT_EQ(event->sequence, 3);
  EXPECT_EQ(event->duration, 49s);
  EXPECT_EQ(event->sip_code, 200);
  EXPECT_EQ(event->timestamp, std::chrono::sys_days{std::chrono::March / 25 / 2018} + 9h + 53min + 19s);
}

TEST(Webhook, reads_odd_numbers_as_absent) {
  for (auto const* text : {"", "-1", "1.5", "x", " 3", "3 ", "99999999999999999999", "0x10"}) {
    EXPECT_EQ(decode_status_callback(with(inbound_call(), "SequenceNumber", text))->sequence, std::nullopt) << text;
  }
}

TEST(Webhook, tells_how_a_dial_ended) {
  auto const result = [](std::string const& status, std::string const& bridged) {
    return decode_dial_result(with(with(inbound_call(), "DialCallStatus", status), "DialBridged", bridged)).value();
  };
  EXPECT_TRUE(result("completed", "true").connected());
  EXPECT_TRUE(result("completed", "").connected());
  EXPECT_TRUE(result("answered", "").connected());
  EXPECT_FALSE(result("completed", "false").connected());
  for (auto const* status : {"busy", "no-answer", "failed", "canceled", "novelty", ""}) {
    EXPECT_FALSE(result(status, "").connected()) << status;
  }
  auto form = with(inbound_call(), "DialCallSid", "CA00000000000000000000000000000007");
  auto const dial =
      decode_dial_result(with(with(form, "DialCallDuration", "12"), "RecordingUrl", "https://api.example/r"));
  EXPECT_EQ(dial->dial_call_sid.text(), "CA00000000000000000000000000000007");
  EXPECT_EQ(dial->duration, 12s);
  EXPECT_EQ(dial->recording_url, "https://api.example/r");
}

TEST(Webhook, reads_a_recording) {
  auto form = inbound_call();
  for (auto const& [name, value] : net::Form{{"RecordingUrl", "https://api.example/RE1"},
                                             {"RecordingDuration", "7"},
                                             {"RecordingSid", "RE00000000000000000000000000000001"},
                                             {"Digits", "hangup"}}) {
    form = with(std::move(form), name, value);
  }
  auto const recording = decode_record_result(form);
  ASSERT_TRUE(recording.has_value());
  EXPECT_EQ(recording->recording_sid, "RE00000000000000000000000000000001");
  EXPECT_EQ(recording->recording_url, "https://api.example/RE1");
  EXPECT_EQ(recording->duration, 7s);
  EXPECT_EQ(recording->digits, "hangup");
  EXPECT_EQ(decode_record_result(with(form, "RecordingUrl", std::string(3000, 'u')))->recording_url, "");
  EXPECT_EQ(decode_record_result(with(form, "RecordingSid", "../../etc"))->recording_sid, "");
}

TEST(Webhook, reads_a_stream_event_with_nanoseconds) {
  net::Form const form{{"AccountSid", account_sid},
                       {"CallSid", call_sid},
                       {"StreamSid", "MZ00000000000000000000000000000001"},
                       {"StreamName", "agent"},
                       {"StreamEvent", "stream-error"},
                       {"StreamError", "31921"},
                       {"Timestamp", "2024-11-29T00:09:39.602648368Z"}};
  auto const event = decode_stream_status(form);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->event, StreamStatus::Event::error);
  EXPECT_EQ(event->error, "31921");
  EXPECT_EQ(event->stream_sid.text(), "MZ00000000000000000000000000000001");
  EXPECT_EQ(event->timestamp, std::chrono::sys_days{std::chrono::November / 29 / 2024} + 9min + 39s + 602648368ns);
}

TEST(Webhook, knows_an_e164_number) {
  for (auto const* number : {"+15005550006", "+4930123456", "+2902345", "+123456789012345"})
    EXPECT_TRUE(is_e164(number)) << number;
  for (auto const* number : {"", "+", "15005550006", "+05005550006", "+150055", "+1234567890123456", "+1500555000a",
                             "+1 5005550006", "++5005550006", "anonymous", "+1500555000\xc2\xb2"}) {
    EXPECT_FALSE(is_e164(number)) << number;
  }
}

TEST(Timestamp, reads_zones_and_fractions_and_refuses_the_impossible) {
  auto const base = std::chrono::sys_days{std::chrono::March / 1 / 2024};
  EXPECT_EQ(parse_timestamp("Fri, 1 Mar 2024 02:00:00 +0200"), base);
  EXPECT_EQ(parse_timestamp("Thu, 29 Feb 2024 19:30:00 -0430"), base);
  EXPECT_EQ(parse_timestamp("01 Mar 2024 00:00:00 +0000"), base);
  EXPECT_EQ(parse_timestamp("2024-03-01T00:00:00Z"), base);
  EXPECT_EQ(parse_timestamp("2024-03-01T00:00:00.5Z"), base + 500ms);
  for (auto const* text : {"", "now", "Fri, 30 Feb 2024 00:00:00 +0000", "Fri, 01 Mar 2024 24:00:00 +0000",
                           "Fri, 01 Mär 2024 00:00:00 +0000", "2024-03-01T00:00:00", "2024-03-01T00:00:00.Z",
                           "2024-03-01T00:00:00.1234567890Z", "2024-13-01T00:00:00Z", "2024-03-01 00:00:00Z",
                           "Fri, 01 Mar 2024 00:00:00 GMT+1", "Fri,"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

}  // namespace
