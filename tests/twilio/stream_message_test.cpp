#include "gateway/twilio/stream_message.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "gateway/base/base64.h"

namespace {

using namespace gateway::twilio;

std::string const stream = "MZ0123456789abcdef0123456789abcdef";
std::string const call = "CA0123456789abcdef0123456789abcdef";
std::string const account = "AC0123456789abcdef0123456789abcdef";

std::string start_with(std::string const& format, std::string const& parameters = R"({"ticket":"one-time-token"})") {
  return R"({"event":"start","sequenceNumber":"1","start":{"accountSid":")" + account + R"(","streamSid":")" + stream +
         R"(","callSid":")" + call + R"(","tracks":["inbound"],"mediaFormat":)" + format + R"(,"customParameters":)" +
         parameters + R"(},"streamSid":")" + stream + R"("})";
}
std::string const mulaw_8000 = R"({"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1})";

std::string media_message(std::string const& payload, std::string const& track = "inbound") {
  return R"({"event":"media","sequenceNumber":"2","media":{"track":")" + track +
         R"(","chunk":"1","timestamp":"155","payload":")" + payload + R"("},"streamSid":")" + stream + R"("})";
}

std::string base64(std::string_view bytes) {
  std::string text;
  base::append_base64(text, {reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
  return text;
}

template <class Message>
Message as(std::string const& text) {
  auto const message = decode(text);
  EXPECT_TRUE(message.has_value()) << (message ? "" : message.error().detail) << " in " << text;
  auto const* found = message ? std::get_if<Message>(&*message) : nullptr;
  EXPECT_NE(found, nullptr) << text;
  return found == nullptr ? Message{} : *found;
}

base::Fault refusal(std::string const& text) {
  auto const message = decode(text);
  EXPECT_FALSE(message.has_value()) << text;
  return message ? base::Fault::unavailable : message.error().fault;
}

TEST(StreamMessage, reads_connected) {
  auto const connected = as<Connected>(R"({"event":"connected","protocol":"Call","version":"1.0.0"})");
  EXPECT_EQ(connected.protocol, "Call");
  EXPECT_EQ(connected.version, "1.0.0");
}

TEST(StreamMessage, reads_start_with_its_parameters) {
  auto const start = as<Start>(start_with(mulaw_8000, R"({"ticket":"a\"b","lang":"de","number":5})"));
  EXPECT_EQ(start.sequence, 1U);
  EXPECT_EQ(start.stream_sid.text(), stream);
  EXPECT_EQ(start.call_sid.text(), call);
  EXPECT_EQ(start.account_sid.text(), account);
  EXPECT_EQ(start.parameter("ticket"), "a\"b");
  EXPECT_EQ(start.parameter("lang"), "de");
  EXPECT_EQ(start.parameter("missing"), "");
  EXPECT_EQ(start.custom_parameters.size(), 2U);
  EXPECT_TRUE(as<Start>(start_with(mulaw_8000, "{}")).custom_parameters.empty());
}

TEST(StreamMessage, reads_media_with_decoded_audio) {
  std::string audio(160, '\xff');
  audio[0] = '\0';
  auto const media = as<Media>(media_message(base64(audio)));
  EXPECT_EQ(media.sequence, 2U);
  EXPECT_EQ(media.chunk, 1U);
  EXPECT_EQ(media.timestamp, std::chrono::milliseconds{155});
  EXPECT_EQ(media.track, Track::inbound);
  EXPECT_EQ(media.stream_sid.text(), stream);
  EXPECT_EQ(media.payload, audio);
  EXPECT_EQ(media.mulaw().size(), 160U);
  EXPECT_EQ(as<Media>(media_message("", "outbound")).track, Track::outbound);
}

TEST(StreamMessage, reads_dtmf_mark_and_stop) {
  auto const dtmf = as<Dtmf>(R"({"event":"dtmf","streamSid":")" + stream +
                             R"(","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}})");
  EXPECT_EQ(dtmf.digit, '#');
  EXPECT_EQ(dtmf.sequence, 5U);
  auto const mark =
      as<Mark>(R"({"event":"mark","sequenceNumber":"4","streamSid":")" + stream + R"(","mark":{"name":"r12:3"}})");
  EXPECT_EQ(mark.name, "r12:3");
  EXPECT_EQ(mark.stream_sid.text(), stream);
  auto const stop = as<Stop>(R"({"event":"stop","sequenceNumber":"5","stop":{"accountSid":")" + account +
                             R"(","callSid":")" + call + R"("},"streamSid":")" + stream + R"("})");
  EXPECT_EQ(stop.call_sid.text(), call);
  EXPECT_EQ(stop.sequence, 5U);
  EXPECT_TRUE(as<Stop>(R"({"event":"stop"})").call_sid.empty());
}

TEST(StreamMessage, reads_numbers_as_text_or_number) {
  auto const media = as<Media>(
      R"({"event":"media","sequenceNumber":2,"media":{"track":"inbound","chunk":7,"timestamp":155,"payload":""},"streamSid":")" +
      stream + R"("})");
  EXPECT_EQ(media.sequence, 2U);
  EXPECT_EQ(media.chunk, 7U);
  EXPECT_EQ(media.timestamp.count(), 155);
  as<Start>(start_with(R"({"encoding":"audio/x-mulaw","sampleRate":"8000","channels":"1"})"));
}

TEST(StreamMessage, skips_unknown_members_and_events) {
  EXPECT_EQ(as<Unknown>(R"({"event":"weather","sun":true})").event, "weather");
  EXPECT_EQ(as<Unknown>(R"({"event":")" + std::string(1000, 'x') + R"("})").event.size(), 64U);
  EXPECT_EQ(as<Mark>(R"({"new":[1,{"a":null}],"event":"mark","mark":{"name":"m","more":1}})").name, "m");
}

TEST(StreamMessage, refuses_audio_that_is_not_mulaw_8000_mono) {
  for (auto const* format :
       {R"({"encoding":"audio/l16","sampleRate":8000,"channels":1})",
        R"({"encoding":"audio/x-mulaw","sampleRate":16000,"channels":1})",
        R"({"encoding":"audio/x-mulaw","sampleRate":8000,"channels":2})",
        R"({"encoding":"audio/x-mulaw","sampleRate":8000})",
        R"({"encoding":"audio/x-mulaw","sampleRate":8000.5,"channels":1})", "{}", "null", R"("audio/x-mulaw")"}) {
    EXPECT_EQ(refusal(start_with(format)), base::Fault::protocol) << format;
  }
}

TEST(StreamMessage, refuses_a_start_that_does_not_say_who_it_is) {
  auto const without = [](std::string_view part, std::string_view replacement) {
    auto text = start_with(mulaw_8000);
    text.replace(text.find(part), part.size(), replacement);
    return text;
  };
  EXPECT_EQ(refusal(without(R"("callSid":")" + call + "\",", "")), base::Fault::protocol);
  EXPECT_EQ(refusal(without(call, "CA1")), base::Fault::protocol);
  EXPECT_EQ(refusal(without(account, "")), base::Fault::protocol);
  EXPECT_EQ(refusal(without(stream, "MZffffffffffffffffffffffffffffffff")), base::Fault::protocol);
  EXPECT_EQ(refusal(R"({"event":"start","start":[]})"), base::Fault::protocol);
}

TEST(StreamMessage, refuses_malformed_messages) {
  auto const silence = base64(std::string(160, '\xff'));
  for (auto const& text :
       std::vector<std::string>{"",
                                "{",
                                "[]",
                                "null",
                                "\"media\"",
                                "42",
                                "{}",
                                R"({"event":5})",
                                R"({"event":null})",
                                R"({"event":"media"})",
                                R"({"event":"media","media":"x"})",
                                R"({"event":"media","media":{"track":"inbound"}})",
                                media_message("****"),
                                media_message("abc"),
                                media_message("ab==="),
                                media_message(silence, "sideways"),
                                media_message(silence) + "x",
                                media_message(silence) + media_message(silence),
                                R"({"event":"media","sequenceNumber":"-1","media":{"payload":""}})",
                                R"({"event":"media","sequenceNumber":-1,"media":{"payload":""}})",
                                R"({"event":"media","sequenceNumber":"99999999999999999999","media":{"payload":""}})",
                                R"({"event":"media","sequenceNumber":1e3,"media":{"payload":""}})",
                                R"({"event":"media","media":{"payload":""},"streamSid":"MZ1"})",
                                R"({"event":"dtmf","dtmf":{"digit":"12"}})",
                                R"({"event":"dtmf","dtmf":{"digit":"x"}})",
                                R"({"event":"dtmf","dtmf":{}})",
                                R"({"event":"mark","mark":{}})",
                                R"({"event":"mark"})",
                                R"({"event":"mark","mark":{"name":3}})",
                                "{\"event\":\"mark\",\"mark\":{\"name\":\"\xff\"}}"}) {
    EXPECT_EQ(refusal(text), base::Fault::protocol) << text;
  }
}

TEST(StreamMessage, refuses_oversized_and_deeply_nested_messages) {
  EXPECT_EQ(refusal(media_message(std::string(64 * 1024, 'A'))), base::Fault::too_large);
  auto const nested = [](int depth) {
    return R"({"event":"weather","x":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  as<Unknown>(nested(60));
  EXPECT_EQ(refusal(nested(66)), base::Fault::protocol);
  EXPECT_EQ(refusal(nested(30000)), base::Fault::protocol);
}

TEST(StreamMessage, takes_the_usual_media_the_fast_way) {
  Media media;
  EXPECT_TRUE(decode_usual_media(media_message(base64(std::string(160, 'x'))), media));
  EXPECT_EQ(media.payload, std::string(160, 'x'));
  auto const* const memory = media.payload.data();
  EXPECT_TRUE(decode_usual_media(media_message(base64(std::string(160, 'y'))), media));
  EXPECT_EQ(media.payload, std::string(160, 'y'));
  EXPECT_EQ(media.payload.data(), memory);
  for (auto const& unusual : {std::string{R"({"event":"connected"})"}, " " + media_message(""),
                              media_message("") + "\n", start_with(mulaw_8000)}) {
    EXPECT_FALSE(decode_usual_media(unusual, media)) << unusual;
  }
}

bool same(Media const& a, Media const& b) {
  return a.sequence == b.sequence && a.chunk == b.chunk && a.timestamp == b.timestamp && a.track == b.track &&
         a.stream_sid == b.stream_sid && a.payload == b.payload;
}

TEST(StreamMessage, agrees_with_the_general_parser_on_every_mutation_it_accepts) {
  std::mt19937 random{3};
  static constexpr std::string_view alphabet = "\"\\{}[],: 0123456789-+=/abzAZ\n\x01\xff";
  int accepted = 0;
  for (int round = 0; round < 60000; ++round) {
    std::string audio(random() % 40, '\0');
    for (auto& c : audio) c = static_cast<char>(random());
    auto text = media_message(base64(audio), random() % 2 ? "inbound" : "outbound");
    for (auto edits = random() % 3; edits > 0; --edits) {
      auto const at = random() % text.size();
      auto const c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        case 2:
          text.erase(at, 1);
          break;
      }
    }
    Media fast;
    if (!decode_usual_media(text, fast)) continue;
    ++accepted;
    auto const general = decode_generally(text);
    ASSERT_TRUE(general.has_value()) << text;
    ASSERT_TRUE(std::holds_alternative<Media>(*general)) << text;
    ASSERT_TRUE(same(fast, std::get<Media>(*general))) << text;
  }
  EXPECT_GT(accepted, 20000);
}

TEST(StreamMessage, writes_exactly_the_documented_members) {
  std::string out = "left over";
  std::vector<std::uint8_t> const audio(160, 0xFF);
  encode_media(out, base::StreamSid{stream}, audio);
  EXPECT_EQ(out, R"({"event":"media","streamSid":")" + stream + R"(","media":{"payload":")" +
                     base64(std::string(160, '\xff')) + R"("}})");
  encode_mark(out, base::StreamSid{stream}, "r12:3");
  EXPECT_EQ(out, R"({"event":"mark","streamSid":")" + stream + R"(","mark":{"name":"r12:3"}})");
  encode_clear(out, base::StreamSid{stream});
  EXPECT_EQ(out, R"({"event":"clear","streamSid":")" + stream + R"("})");
}

TEST(StreamMessage, escapes_hostile_mark_names) {
  for (auto const& name : {std::string{R"("},"event":"clear)"}, std::string{"back\\slash\n\t\x01"}, std::string{"👋"},
                           std::string("a\0b", 3)}) {
    std::string out;
    encode_mark(out, base::StreamSid{stream}, name);
    auto const json = nlohmann::json::parse(out);
    EXPECT_EQ(json.size(), 3U);
    EXPECT_EQ(json.at("mark").at("name").get<std::string>(), name);
    EXPECT_EQ(as<Mark>(out).name, name);
  }
  std::string out;
  encode_mark(out, base::StreamSid{stream}, "\xff");
  EXPECT_EQ(as<Mark>(out).name, "\xef\xbf\xbd");
}

TEST(StreamMessage, writes_into_the_memory_it_was_given) {
  std::string out;
  std::vector<std::uint8_t> const audio(160, 0x7F);
  encode_media(out, base::StreamSid{stream}, audio);
  auto const* const memory = out.data();
  encode_media(out, base::StreamSid{stream}, audio);
  encode_clear(out, base::StreamSid{stream});
  EXPECT_EQ(out.data(), memory);
}

}  // namespace
