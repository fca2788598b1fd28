#include "twiml/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <pugixml.hpp>
#include <random>

#include "tests/twiml/xmllint.h"
#include "twiml/answers.h"

namespace {

using namespace std::chrono_literals;

constexpr char start[] = R"(<?xml version="1.0" encoding="UTF-8"?><Response>)";
constexpr char end[] = "</Response>";

std::string body_of(std::vector<twiml::Verb> verbs) {
  twiml::Document document;
  for (auto& verb : verbs) EXPECT_TRUE(document.add(std::move(verb)).has_value());
  auto xml = document.xml();
  EXPECT_TRUE(xml.starts_with(start) && xml.ends_with(end)) << xml;
  return xml.substr(sizeof start - 1, xml.size() - (sizeof start - 1) - (sizeof end - 1));
}

pugi::xml_document read_back(std::string const& xml) {
  pugi::xml_document document;
  auto const outcome = document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata);
  EXPECT_TRUE(outcome) << outcome.description() << " in " << xml;
  return document;
}

base::Fault refusal(twiml::Verb verb) {
  twiml::Document document;
  auto const added = document.add(std::move(verb));
  EXPECT_FALSE(added.has_value());
  EXPECT_TRUE(document.verbs().empty());
  return added ? base::Fault::unavailable : added.error().fault;
}

std::vector<std::string> const hostile_texts{"</Say><Dial>+19005550199</Dial><Say>",
                                             "\"><Redirect>https://evil.example</Redirect><Say a=\"",
                                             "' onclick='x'",
                                             "]]>",
                                             "<![CDATA[x]]>",
                                             "&amp;&lt;&#0;&#x1F600;&bogus;",
                                             "<!-- x --",
                                             "<?xml version=\"1.0\"?>",
                                             "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>&b;",
                                             "ends with backslash\\",
                                             "👋 emoji and 你好 and 𝔘 four bytes",
                                             "tab\there\nnew line",
                                             std::string("zero\0inside", 11),
                                             "bell\a escape\x1b delete\x7f vertical\v",
                                             "\xef\xbf\xbe and \xef\xbf\xbf",
                                             "\xed\xa0\x80 surrogate",
                                             "\xc0\xaf overlong",
                                             "\xff\xfe raw",
                                             "cut off \xf0\x9f\x91",
                                             "carriage\r\nreturn",
                                             "\xf4\x90\x80\x80 too high",
                                             "  spaces at both ends  "};

TEST(Document, writes_each_verb_as_twilio_documents_it) {
  EXPECT_EQ(body_of({twiml::Pause{2s}}), R"(<Pause length="2"/>)");
  EXPECT_EQ(body_of({twiml::Say{.text = "Hi", .voice = "Polly.Joanna", .language = "en-US"}}),
            R"(<Say voice="Polly.Joanna" language="en-US">Hi</Say>)");
  EXPECT_EQ(body_of({twiml::Play{"https://h.example/a.wav?x=1&y=2"}}),
            "<Play>https://h.example/a.wav?x=1&amp;y=2</Play>");
  EXPECT_EQ(body_of({twiml::Play{.url = "", .digits = "1w2#"}}), R"(<Play digits="1w2#"/>)");
  EXPECT_EQ(body_of({twiml::Redirect{"https://h.example/r?a=1&b=2"}}),
            "<Redirect>https://h.example/r?a=1&amp;b=2</Redirect>");
  EXPECT_EQ(body_of({twiml::Hangup{}}), "<Hangup/>");
  EXPECT_EQ(body_of({twiml::Reject{}}), R"(<Reject reason="rejected"/>)");
  EXPECT_EQ(body_of({twiml::Reject{twiml::Reject::Reason::busy}}), R"(<Reject reason="busy"/>)");
  EXPECT_EQ(
      body_of({twiml::Dial{.number = "+15005550006",
                           .caller_id = "+15005550007",
                           .timeout = 25s,
                           .action = "https://h.example/d?a&b",
                           .answer_on_bridge = true,
                           .time_limit = 600s}}),
      R"(<Dial answerOnBridge="true" callerId="+15005550007" timeout="25" timeLimit="600" action="https://h.example/d?a&amp;b">)"
      "<Number>+15005550006</Number></Dial>");
  EXPECT_EQ(body_of({twiml::Dial{.number = "+15005550006"}}), "<Dial><Number>+15005550006</Number></Dial>");
  EXPECT_EQ(body_of({twiml::Record{.action = "https://h.example/v",
                                   .max_length = 60s,
                                   .timeout = 5s,
                                   .play_beep = false,
                                   .finish_on_key = "#",
                                   .trim_silence = true,
                                   .status_callback = "https://h.example/s"}}),
            R"(<Record action="https://h.example/v" maxLength="60" timeout="5" playBeep="false" finishOnKey="#" )"
            R"(trim="trim-silence" recordingStatusCallback="https://h.example/s"/>)");
  EXPECT_EQ(body_of({twiml::ConnectStream{.url = "wss://gw.example.com/media",
                                          .parameters = {{"session", "a\"b"}, {"lang", "de"}},
                                          .name = "agent",
                                          .status_callback = "https://gw.example.com/s",
                                          .action = "https://gw.example.com/after"}}),
            R"(<Connect action="https://gw.example.com/after"><Stream url="wss://gw.example.com/media" name="agent" )"
            R"(statusCallback="https://gw.example.com/s"><Parameter name="session" value="a&quot;b"/>)"
            R"(<Parameter name="lang" value="de"/></Stream></Connect>)");
}

TEST(Document, keeps_the_order_of_verbs) {
  EXPECT_EQ(body_of({twiml::Pause{}, twiml::Say{"a"}, twiml::Hangup{}}), R"(<Pause length="1"/><Say>a</Say><Hangup/>)");
}

TEST(Document, says_hostile_text_instead_of_running_it) {
  for (auto const& text : hostile_texts) {
    twiml::Document document;
    ASSERT_TRUE(document.add(twiml::Say{text}).has_value());
    auto const xml = document.xml();
    auto const parsed = read_back(xml);
    auto const response = parsed.child("Response");
    EXPECT_EQ(std::distance(response.begin(), response.end()), 1) << xml;
    auto const say = response.child("Say");
    EXPECT_EQ(std::distance(say.begin(), say.end()), 1) << xml;
    EXPECT_EQ(std::string{say.text().get()}, twiml::printable(text));
    EXPECT_TRUE(say.first_attribute().empty());
  }
}

TEST(Document, keeps_hostile_text_inside_attributes) {
  for (auto const& text : hostile_texts) {
    twiml::Document document;
    ASSERT_TRUE(
        document.add(twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{"name", text}}}).has_value());
    auto const parsed = read_back(document.xml());
    auto const stream = parsed.child("Response").child("Connect").child("Stream");
    EXPECT_EQ(std::distance(stream.begin(), stream.end()), 1);
    auto const parameter = stream.child("Parameter");
    EXPECT_EQ(std::distance(parameter.attributes_begin(), parameter.attributes_end()), 2);
    auto expected = twiml::printable(text);
    std::ranges::replace(expected, '\t', ' ');
    EXPECT_EQ(std::string{parameter.attribute("value").value()}, expected);
  }
}

TEST(Document, drops_forbidden_characters_and_replaces_broken_utf8) {
  EXPECT_EQ(twiml::printable(std::string("a\0b\x01\x1f\x0b"
                                         "c",
                                         7)),
            "abc");
  EXPECT_EQ(twiml::printable("\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbd"), "||\xef\xbf\xbd");
  EXPECT_EQ(twiml::printable("a\xff"
                             "b\xf0\x9f\x91"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(twiml::printable("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(twiml::printable("tab\tline\nreturn\rend"), "tab\tline\nreturn end");
  EXPECT_EQ(twiml::printable("Grüße 👋 你好"), "Grüße 👋 你好");
}

TEST(Document, is_read_back_by_libxml2_with_the_same_text) {
  if (!test::xmllint_is_installed()) GTEST_SKIP() << "xmllint (libxml2-utils) is not installed";
  for (auto const& text : hostile_texts) {
    twiml::Document document;
    ASSERT_TRUE(document.add(twiml::Say{text}).has_value());
    ASSERT_TRUE(
        document.add(twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{"n", text}}}).has_value());
    EXPECT_EQ(test::xmllint_text(document.xml(), "/Response/Say"), twiml::printable(text));
    EXPECT_EQ(test::xmllint_text(document.xml(), "count(//*)"), "5");
  }
}

TEST(Document, survives_random_bytes_in_every_text) {
  std::mt19937 random{11};
  std::uniform_int_distribution<int> byte{0, 255}, length{1, 60};
  std::vector<std::string> documents;
  auto const noise = [&] {
    std::string text;
    for (int i = length(random); i > 0; --i)
      text += static_cast<char>(random() % 3 ? byte(random) : "<>&\"'/="[random() % 7]);
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    auto const said = noise(), name = noise(), value = noise(), number = noise(), action = noise();
    twiml::Document document;
    ASSERT_TRUE(document.add(twiml::Say{said}).has_value());
    ASSERT_TRUE(
        document.add(twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{name, value}}}).has_value());
    ASSERT_TRUE(document.add(twiml::Dial{.number = number, .action = action}).has_value());
    auto const xml = document.xml();
    auto const parsed = read_back(xml);
    std::string shape;
    for (auto const& node : parsed.child("Response")) shape += std::string{node.name()} + " ";
    ASSERT_EQ(shape, "Say Connect Dial ") << xml;
    ASSERT_EQ(std::string{parsed.child("Response").child("Say").text().get()}, twiml::printable(said));
    ASSERT_EQ(std::string{parsed.child("Response").child("Dial").child("Number").text().get()},
              twiml::printable(number));
    if (round % 10 == 0) documents.push_back(xml);
  }
  if (test::xmllint_is_installed()) {
    EXPECT_EQ(test::xmllint_refuses(documents), 0);
  }
}

TEST(Document, refuses_verbs_that_twilio_would_refuse) {
  EXPECT_EQ(refusal(twiml::ConnectStream{.url = "https://h.example/m"}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::ConnectStream{.url = ""}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::ConnectStream{.url = "wss://h.example/m?token=1"}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{"", "x"}}}),
            base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::Redirect{""}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::Dial{.number = ""}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::Record{.action = ""}), base::Fault::protocol);
  EXPECT_EQ(refusal(twiml::Play{""}), base::Fault::protocol);
}

TEST(Document, limits_name_and_value_of_a_stream_parameter_to_499_characters) {
  auto const with_value = [](std::string value) {
    return twiml::ConnectStream{.url = "wss://h.example/m", .parameters = {{"four", std::move(value)}}};
  };
  twiml::Document document;
  EXPECT_TRUE(document.add(with_value(std::string(495, 'x'))).has_value());
  EXPECT_EQ(refusal(with_value(std::string(496, 'x'))), base::Fault::too_large);
  std::string cyrillic;
  for (int i = 0; i < 495; ++i) cyrillic += "ж";
  EXPECT_TRUE(document.add(with_value(cyrillic)).has_value());
  EXPECT_EQ(refusal(with_value(cyrillic + "ж")), base::Fault::too_large);
}

TEST(Document, never_exceeds_64_kilobytes) {
  twiml::Document document;
  std::string const ampersands(1000, '&');
  int added = 0;
  while (document.add(twiml::Say{ampersands}).has_value()) ++added;
  EXPECT_EQ(added, 13);
  EXPECT_LE(document.xml().size(), twiml::max_document_bytes);
  EXPECT_GT(document.xml().size() + 5011, twiml::max_document_bytes);

  auto const room = twiml::max_document_bytes - document.xml().size() - std::string_view{"<Say></Say>"}.size();
  auto const over = document.add(twiml::Say{std::string(room + 1, 'a')});
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().fault, base::Fault::too_large);
  EXPECT_TRUE(document.add(twiml::Say{std::string(room, 'a')}).has_value());
  EXPECT_EQ(document.xml().size(), twiml::max_document_bytes);
}

}  // namespace
