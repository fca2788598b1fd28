#include <gtest/gtest.h>

#include "loadtest/sim/twilio/message.h"

namespace sim::twilio {
namespace {

StreamIdentity const id{"ACa", "CAb", "MZc"};

int code_of(std::string_view text) {
  auto const decoded = decode_from_gateway(text, "MZc");
  return decoded ? 0 : decoded.error().code;
}

TEST(SimMessage, start_has_the_captured_shape) {
  EXPECT_EQ(encode_start(id, 1, {{"session", "t\"k"}}),
            R"({"event":"start","sequenceNumber":"1","start":{"accountSid":"ACa","streamSid":"MZc","callSid":"CAb",)"
            R"("tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},)"
            R"("customParameters":{"session":"t\"k"}},"streamSid":"MZc"})");
}

TEST(SimMessage, media_dtmf_mark_and_stop_have_the_captured_shapes) {
  std::string media = "left over";
  encode_media(media, id, 2, 1, 155, std::vector<std::uint8_t>{0xFF, 0xFF, 0xFF});
  EXPECT_EQ(media, R"({"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"155",)"
                   R"("payload":"////"},"streamSid":"MZc"})");
  EXPECT_EQ(encode_dtmf(id, 5, '#'),
            R"({"event":"dtmf","streamSid":"MZc","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"#"}})");
  EXPECT_EQ(encode_mark(id, 4, "r12:3"),
            R"({"event":"mark","sequenceNumber":"4","streamSid":"MZc","mark":{"name":"r12:3"}})");
  EXPECT_EQ(encode_stop(id, 6),
            R"({"event":"stop","sequenceNumber":"6","stop":{"accountSid":"ACa","callSid":"CAb"},"streamSid":"MZc"})");
}

TEST(SimMessage, takes_the_three_documented_messages_in_any_member_order) {
  auto const media = decode_from_gateway(R"({"event":"media","streamSid":"MZc","media":{"payload":"AAEC"}})", "MZc");
  ASSERT_TRUE(media.has_value());
  EXPECT_EQ(std::get<MediaMessage>(*media).mulaw, (std::vector<std::uint8_t>{0, 1, 2}));
  auto const reordered =
      decode_from_gateway(R"({ "media":{"payload":"AAEC"}, "streamSid":"MZc", "event":"media"})", "MZc");
  ASSERT_TRUE(reordered.has_value());
  EXPECT_EQ(std::get<MediaMessage>(*reordered).mulaw, (std::vector<std::uint8_t>{0, 1, 2}));
  auto const mark = decode_from_gateway(R"({"event":"mark","streamSid":"MZc","mark":{"name":"a"}})", "MZc");
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(std::get<MarkMessage>(*mark).name, "a");
  EXPECT_EQ(code_of(R"({"event":"clear","streamSid":"MZc"})"), 0);
}

TEST(SimMessage, refuses_whatever_twilio_calls_invalid) {
  EXPECT_EQ(code_of(R"({"event":"media","streamSid":"MZc","media":{"payload":"AAEC"},"sequenceNumber":"1"})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"media","streamSid":"MZc","media":{"payload":"AAEC","track":"outbound"}})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"media","streamSid":"MZx","media":{"payload":"AAEC"}})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"media","streamSid":"MZc","media":{"payload":"AA C"}})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"media","streamSid":"MZc","media":{"payload":7}})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"mark","streamSid":"MZc"})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"clear","streamSid":"MZc","mark":{"name":"a"}})"), 31951);
  EXPECT_EQ(code_of(R"({"event":"hangup","streamSid":"MZc"})"), 31951);
  EXPECT_EQ(code_of("[]"), 31951);
  EXPECT_EQ(code_of("{"), 31951);
}

}  // namespace
}  // namespace sim::twilio
