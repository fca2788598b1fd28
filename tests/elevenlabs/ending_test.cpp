#include "gateway/agent/elevenlabs/ending.h"

#include <gtest/gtest.h>

namespace gateway::elevenlabs {
namespace {

using Kind = AgentLegEnd::Kind;

TEST(AgentEnding, follows_the_close_code) {
  struct Case {
    std::uint16_t code;
    char const* reason;
    Kind kind;
  };
  Case const cases[] = {
      {1000, "", Kind::finished},
      {1001, "", Kind::lost},
      {1002, "llm_timeout", Kind::lost},
      {1002, "This request exceeds your quota limit.", Kind::quota},
      {1002, "QUOTA", Kind::quota},
      {1005, "", Kind::lost},
      {1006, "", Kind::lost},
      {1008, "Override for field 'voice_id' is not allowed by config.", Kind::refused},
      {1008, "Missing required dynamic variables in first message: {'name'}", Kind::refused},
      {1009, "", Kind::lost},
      {1011, "Conversation has exceeded maximum duration", Kind::lost},
      {3000, "The AI agent you are trying to reach does not exist.", Kind::refused},
      {3008, "too many concurrent connections", Kind::refused},
      {4003, "", Kind::refused},
      {4300, "", Kind::refused},
  };
  for (auto const& [code, reason, kind] : cases) {
    auto const end = ending_of({code, reason});
    EXPECT_EQ(end.kind, kind) << code << " " << reason;
    EXPECT_EQ(end.code, code);
  }
}

TEST(AgentEnding, lets_an_announced_error_speak_where_the_close_is_silent) {
  ErrorEvent const override_error{1008, "override_error", "Override not allowed"};
  for (std::uint16_t const code : {1000, 1005, 1006}) {
    auto const end = ending_of({code, "", &override_error});
    EXPECT_EQ(end.kind, Kind::refused) << code;
    EXPECT_EQ(end.code, 1008) << code;
  }
  EXPECT_EQ(ending_of({1011, "", &override_error}).kind, Kind::lost);
}

TEST(AgentEnding, finds_the_quota_in_a_flat_error) {
  ErrorEvent const flat{std::nullopt, "", "received 1002 (protocol error) This request exceeds your quota limit."};
  EXPECT_EQ(ending_of({1002, "", &flat}).kind, Kind::quota);
  EXPECT_EQ(ending_of({1000, "", &flat}).kind, Kind::quota);
  EXPECT_EQ(ending_of({1006, "", &flat}).code, 1002);
  EXPECT_TRUE(is_terminal(flat));
}

TEST(AgentEnding, takes_maximum_duration_as_a_regular_end_under_any_code) {
  ErrorEvent const done{1000, "max_duration_exceeded", ""};
  EXPECT_EQ(ending_of({1000, "", &done}).kind, Kind::finished);
  EXPECT_EQ(ending_of({1011, "", &done}).kind, Kind::finished);
}

TEST(AgentEnding, calls_a_queue_that_ran_out_refused_whatever_the_code) {
  for (std::uint16_t const code : {1000, 1006, 3008, 4300})
    EXPECT_EQ(ending_of({code, "", nullptr, true}).kind, Kind::refused) << code;
}

TEST(AgentEnding, a_bare_error_promises_nothing) {
  ErrorEvent const bare{};
  EXPECT_FALSE(is_terminal(bare));
  EXPECT_EQ(ending_of({1000, "", &bare}).kind, Kind::finished);
}

TEST(AgentEnding, keeps_long_texts_and_phone_numbers_out_of_the_log) {
  EXPECT_EQ(for_log("caller +15550001111 code 1008"), "caller +########### code 1008");
  EXPECT_EQ(for_log(std::string(500, 'x')).size(), 120U);
  EXPECT_EQ(for_log(""), "");
  EXPECT_EQ(for_log("12345"), "#####");
  EXPECT_EQ(for_log("1234"), "1234");
}

}  // namespace
}  // namespace gateway::elevenlabs
