#include "gateway/agent/elevenlabs/rest.h"

#include <gtest/gtest.h>

namespace gateway::elevenlabs {
namespace {

net::Response answer(unsigned status, std::string body) {
  return net::Response::json(status, std::move(body));
}

TEST(AgentApi, reads_the_error_code_from_every_shape_of_detail) {
  std::pair<char const*, char const*> const cases[] = {
      {R"({"detail":{"type":"validation_error","code":"invalid_parameters","message":"m","status":"old","request_id":"3c80"}})",
       "invalid_parameters"},
      {R"({"detail":{"status":"invalid_api_key","message":"Invalid API key"}})", "invalid_api_key"},
      {R"({"detail":{"code":null,"status":"only_for_creator+"}})", "only_for_creator+"},
      {R"({"detail":[{"loc":["body","agent_id"],"msg":"Field required","type":"missing"}]})", "validation_error"},
      {R"({"detail":"Not Found: sk_secret"})", ""},
      {R"({"message":"x"})", ""},
      {"[]", ""},
      {"<html>", ""},
      {"", ""},
      {R"({"detail":{"code":"Bad Code \u00e9 sk_12345678901234567890123456789012345678901234567890"}})",
       "_ad__ode____sk_1234567890123456789012345"},
  };
  for (auto const& [body, code] : cases) EXPECT_EQ(api_error_code(body), code) << body;
}

TEST(AgentApi, turns_statuses_into_faults) {
  struct Case {
    unsigned status;
    char const* body;
    base::Fault fault;
  };
  Case const cases[] = {
      {302, "", base::Fault::refused},
      {400, R"({"detail":{"code":"invalid_parameters"}})", base::Fault::refused},
      {401, R"({"detail":{"status":"invalid_api_key"}})", base::Fault::refused},
      {403, R"({"detail":{"status":"forbidden"}})", base::Fault::refused},
      {404, R"({"detail":{"status":"document_not_found"}})", base::Fault::not_found},
      {422, R"({"detail":[]})", base::Fault::refused},
      {425, "", base::Fault::unavailable},
      {429, R"({"detail":{"status":"system_busy"}})", base::Fault::unavailable},
      {429, R"({"detail":{"code":"concurrent_limit_exceeded"}})", base::Fault::refused},
      {429, R"({"detail":{"status":"too_many_concurrent_requests"}})", base::Fault::refused},
      {500, "", base::Fault::unavailable},
      {503, "<html>", base::Fault::unavailable},
  };
  for (auto const& [status, body, fault] : cases) {
    auto const error = api_error(answer(status, body));
    EXPECT_EQ(error.fault, fault) << status << body;
    EXPECT_NE(error.detail.find(std::to_string(status)), std::string::npos);
  }
}

TEST(AgentApi, never_repeats_the_body_of_an_error) {
  auto const error =
      api_error(answer(401, R"({"detail":{"status":"invalid_api_key","message":"key sk_abcdef is wrong"}})"));
  EXPECT_EQ(error.detail, "agent service answered 401 (invalid_api_key)");
}

TEST(AgentApi, takes_a_signed_url_as_delivered) {
  auto const url = read_signed_url(
      answer(
          200,
          R"({"signed_url":"wss://api.elevenlabs.io/v1/convai/conversation?agent_id=agent_x&conversation_signature=a%2Fb"})"),
      true);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "api.elevenlabs.io");
  EXPECT_EQ(url->path, "/v1/convai/conversation");
  EXPECT_EQ(url->query, "agent_id=agent_x&conversation_signature=a%2Fb");
}

TEST(AgentApi, takes_an_open_socket_only_from_an_open_api) {
  auto const open = answer(200, R"({"signed_url":"ws://127.0.0.1:9/v1/convai/conversation?agent_id=a"})");
  EXPECT_TRUE(read_signed_url(open, false));
  EXPECT_FALSE(read_signed_url(open, true));
}

TEST(AgentApi, refuses_what_is_no_signed_url_without_repeating_it) {
  for (char const* body :
       {"", "{}", "[]", "{", R"({"signed_url":7})", R"({"signed_url":""})", R"({"signed_url":"sig=abc"})",
        R"({"signed_url":"https://h/?sig=abc"})", R"({"signed_url":"file:///etc/passwd?sig=abc"})"}) {
    auto const url = read_signed_url(answer(200, body), true);
    ASSERT_FALSE(url) << body;
    EXPECT_EQ(url.error().fault, base::Fault::protocol);
    EXPECT_EQ(url.error().detail.find("abc"), std::string::npos);
  }
}

}  // namespace
}  // namespace gateway::elevenlabs
