#include "twiml/answers.h"

#include <gtest/gtest.h>

namespace {

constexpr char declaration[] = R"(<?xml version="1.0" encoding="UTF-8"?>)";

std::string xml_of(base::Result<twiml::Document> const& document) {
  EXPECT_TRUE(document.has_value()) << (document ? "" : document.error().detail);
  return document ? document->xml() : "";
}

twiml::StreamAnswer stream_answer() {
  return {.stream_url = "wss://gw.example.com/media/twilio",
          .ticket = "v1.k.p.s",
          .resume_url = "https://gw.example.com/api/twilio/voice-resume"};
}

TEST(Answers, connect_a_stream_with_its_ticket_and_resume_behind_it) {
  EXPECT_EQ(
      xml_of(twiml::connect_stream(stream_answer())),
      std::string{declaration} +
          R"(<Response><Connect><Stream url="wss://gw.example.com/media/twilio"><Parameter name="ticket" value="v1.k.p.s"/>)"
          "</Stream></Connect><Redirect>https://gw.example.com/api/twilio/voice-resume</Redirect></Response>");
}

TEST(Answers, pause_before_the_stream_and_carry_more_parameters_on_request) {
  auto answer = stream_answer();
  answer.pause = std::chrono::seconds{1};
  answer.stream_name = "agent";
  answer.status_callback = "https://gw.example.com/s";
  answer.more_parameters = {{"agent_name", "Zoë & \"Co\""}};
  EXPECT_EQ(xml_of(twiml::connect_stream(answer)),
            std::string{declaration} +
                R"(<Response><Pause length="1"/><Connect><Stream url="wss://gw.example.com/media/twilio" name="agent" )"
                R"(statusCallback="https://gw.example.com/s"><Parameter name="ticket" value="v1.k.p.s"/>)"
                R"(<Parameter name="agent_name" value="Zoë &amp; &quot;Co&quot;"/></Stream></Connect>)"
                "<Redirect>https://gw.example.com/api/twilio/voice-resume</Redirect></Response>");
}

TEST(Answers, refuse_a_stream_that_twilio_could_not_open) {
  auto query = stream_answer();
  query.stream_url += "?x=1";
  EXPECT_FALSE(twiml::connect_stream(query).has_value());
  auto no_resume = stream_answer();
  no_resume.resume_url.clear();
  EXPECT_FALSE(twiml::connect_stream(no_resume).has_value());
  auto long_ticket = stream_answer();
  long_ticket.ticket = std::string(500, 'x');
  EXPECT_FALSE(twiml::connect_stream(long_ticket).has_value());
}

TEST(Answers, apologise_and_hang_up) {
  EXPECT_EQ(twiml::sorry_and_hang_up("We are closed & away.").xml(),
            std::string{declaration} + "<Response><Say>We are closed &amp; away.</Say><Hangup/></Response>");
  EXPECT_EQ(twiml::sorry_and_hang_up("").xml(), std::string{declaration} + "<Response><Hangup/></Response>");
}

TEST(Answers, forward_while_the_caller_hears_ringing) {
  EXPECT_EQ(xml_of(twiml::forward_to("+15005550006", "https://gw.example.com/done?a=1&b=2", "+15005550007")),
            std::string{declaration} +
                R"(<Response><Dial answerOnBridge="true" callerId="+15005550007" timeout="20" )"
                R"(action="https://gw.example.com/done?a=1&amp;b=2"><Number>+15005550006</Number></Dial></Response>)");
  EXPECT_FALSE(twiml::forward_to("", "https://gw.example.com/done").has_value());
}

TEST(Answers, take_a_voicemail_and_never_loop) {
  EXPECT_EQ(xml_of(twiml::take_voicemail("After the tone, please.", "https://gw.example.com/voicemail")),
            std::string{declaration} +
                R"(<Response><Say>After the tone, please.</Say><Record action="https://gw.example.com/voicemail" )"
                R"(maxLength="120" timeout="5" playBeep="true" finishOnKey="#"/><Hangup/></Response>)");
  EXPECT_FALSE(twiml::take_voicemail("text", "").has_value());
}

TEST(Answers, give_a_busy_tone_without_a_text) {
  EXPECT_EQ(twiml::busy().xml(), std::string{declaration} + R"(<Response><Reject reason="busy"/></Response>)");
  EXPECT_EQ(twiml::busy("All lines are taken.").xml(),
            std::string{declaration} + "<Response><Say>All lines are taken.</Say><Hangup/></Response>");
}

TEST(Answers, say_nothing_with_an_empty_response) {
  EXPECT_EQ(twiml::empty().xml(), std::string{declaration} + "<Response></Response>");
}

TEST(Answers, cut_endless_texts_between_characters) {
  std::string endless;
  for (int i = 0; i < 30000; ++i) endless += "ü";
  auto const xml = twiml::sorry_and_hang_up(endless).xml();
  EXPECT_EQ(xml.size(),
            std::string{declaration}.size() + std::string{"<Response><Say></Say><Hangup/></Response>"}.size() + 8000);
  EXPECT_LE(twiml::sorry_and_hang_up(std::string(200000, '\x80')).xml().size(), twiml::max_document_bytes);
  EXPECT_LE(twiml::sorry_and_hang_up(std::string(200000, '\xff')).xml().size(), twiml::max_document_bytes);
  EXPECT_LE(twiml::sorry_and_hang_up(std::string(200000, '&')).xml().size(), twiml::max_document_bytes);
}

}  // namespace
