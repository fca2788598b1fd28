#include <gtest/gtest.h>

#include "loadtest/sim/twilio/document.h"

namespace sim::twilio {
namespace {

std::string const declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";

int code_of(std::string const& text) {
  auto const document = parse_document(text);
  return document ? 0 : document.error().code;
}

Document read(std::string const& verbs) {
  auto document = parse_document(declaration + "<Response>" + verbs + "</Response>");
  EXPECT_TRUE(document.has_value());
  return document.value_or(Document{});
}

TEST(SimDocument, reads_a_stream_with_its_parameters_and_what_follows) {
  auto const document = read(R"(<Connect action="/after"><Stream url="wss://gw/media" name="agent">)"
                             R"(<Parameter name="session" value="a&amp;b"/></Stream></Connect><Hangup/>)");
  ASSERT_EQ(document.verbs.size(), 2u);
  auto const& connect = std::get<Connect>(document.verbs[0]);
  EXPECT_EQ(connect.action, "/after");
  EXPECT_EQ(connect.stream.url, "wss://gw/media");
  EXPECT_EQ(connect.stream.parameters, (Parameters{{"session", "a&b"}}));
  EXPECT_TRUE(std::holds_alternative<Hangup>(document.verbs[1]));
  EXPECT_TRUE(document.warnings.empty());
}

TEST(SimDocument, must_be_well_formed_from_its_first_byte) {
  EXPECT_EQ(code_of(""), 11770);
  EXPECT_EQ(code_of("\n" + declaration + "<Response/>"), 12100);
  EXPECT_EQ(code_of("\xEF\xBB\xBF" + declaration + "<Response/>"), 12100);
  EXPECT_EQ(code_of("<Response/>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say>a</Response>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response/><Response/>"), 12100);
  EXPECT_EQ(code_of(declaration + "<response/>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say>a & b</Say></Response>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say>&nbsp;</Say></Response>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say>\x01</Say></Response>"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say>\xC3\x28</Say></Response>"), 12100);
  EXPECT_EQ(code_of(declaration + R"(<Response><Say voice="a" voice="b">x</Say></Response>)"), 12100);
  EXPECT_EQ(code_of(declaration + "<Response><Say><![CDATA[a & b]]></Say><!-- & --></Response>"), 0);
}

TEST(SimDocument, may_have_64_kilobytes_and_no_more) {
  auto const frame = declaration.size() + std::string{"<Response><Say></Say></Response>"}.size();
  EXPECT_EQ(code_of(declaration + "<Response><Say>" + std::string(64 * 1024 - frame, 'a') + "</Say></Response>"), 0);
  EXPECT_EQ(code_of(declaration + "<Response><Say>" + std::string(64 * 1024 - frame + 1, 'a') + "</Say></Response>"),
            11750);
}

TEST(SimDocument, skips_unknown_names_with_a_warning_and_runs_the_rest) {
  auto const document = read(R"(<say>no</say><Say Voice="x">yes</Say><Pause length="two"/>)");
  ASSERT_EQ(document.verbs.size(), 2u);
  EXPECT_EQ(std::get<Say>(document.verbs[0]).text, "yes");
  ASSERT_EQ(document.warnings.size(), 3u);
  for (auto const& warning : document.warnings) EXPECT_EQ(warning.code, 12200);
}

TEST(SimDocument, reads_the_callees_of_a_dial_in_both_forms) {
  auto const plain = std::get<Dial>(read("<Dial timeout=\"20\">+15551230000</Dial>").verbs.at(0));
  EXPECT_EQ(plain.callees.at(0).address, "+15551230000");
  EXPECT_EQ(plain.timeout, std::chrono::seconds{20});
  auto const nested = std::get<Dial>(
      read(
          R"(<Dial answerOnBridge="true"><Number statusCallback="/s" statusCallbackEvent="ringing  answered">+1</Number></Dial>)")
          .verbs.at(0));
  EXPECT_TRUE(nested.answer_on_bridge);
  EXPECT_EQ(nested.callees.at(0).events, (std::vector<std::string>{"ringing", "answered"}));
}

TEST(SimDocument, knows_the_content_types_twilio_takes) {
  EXPECT_EQ(body_kind("text/xml; charset=utf-8"), Body::twiml);
  EXPECT_EQ(body_kind("Application/XML"), Body::twiml);
  EXPECT_EQ(body_kind("text/plain"), Body::text);
  EXPECT_EQ(body_kind("audio/x-wav"), Body::audio);
  EXPECT_EQ(body_kind("application/json"), Body::unacceptable);
  EXPECT_EQ(body_kind(""), Body::unacceptable);
}

}  // namespace
}  // namespace sim::twilio
