#include <gtest/gtest.h>

#include "crm/adapters/hubspot/fault.h"

namespace crm::hubspot {
namespace {

using Kind = DeliveryFault::Kind;
using namespace std::chrono_literals;

Denial denied(unsigned status, std::string body, Effect effect = Effect::write, net::Headers headers = {}) {
  net::Response response{status, std::move(headers), std::move(body)};
  return denial_of(response, effect, 5h);
}

constexpr auto existing = R"({"status":"error","message":"Contact already exists. Existing ID: 12345",
  "correlationId":"aeb5f871-7f07-4993-9211-075dc63e7cbf","category":"CONFLICT"})";
constexpr auto unknown_property = R"({"status":"error","message":
  "Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"x\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"x\",\"localizedErrorMessage\":\"Property \\\"x\\\" does not exist\"}]",
  "category":"VALIDATION_ERROR"})";

TEST(HubSpotAnswer, a_conflict_names_the_record_it_is_with) {
  auto const denial = denied(409, existing);
  EXPECT_EQ(denial.refusal.existing_id, "12345");
  EXPECT_EQ(denial.fault.request_id, "aeb5f871-7f07-4993-9211-075dc63e7cbf");
}

TEST(HubSpotAnswer, bad_properties_stand_as_json_inside_the_message) {
  auto const denial = denied(400, unknown_property);
  EXPECT_EQ(denial.refusal.bad_properties, std::set<std::string>{"x"});
  EXPECT_EQ(denial.fault.kind, Kind::rejected);
  EXPECT_NE(denial.fault.detail.find("PROPERTY_DOESNT_EXIST"), std::string::npos);
}

TEST(HubSpotAnswer, a_limit_says_by_its_policy_how_long_to_wait) {
  auto const with_policy = [](std::string const& policy) {
    auto const denial = denied(429, R"({"status":"error","errorType":"RATE_LIMIT","policyName":")" + policy + "\"}");
    EXPECT_EQ(denial.fault.kind, Kind::rate_limited);
    return denial.fault.retry_after;
  };
  EXPECT_EQ(with_policy("TEN_SECONDLY_ROLLING"), 10s);
  EXPECT_EQ(with_policy("SECONDLY"), 1s);
  EXPECT_EQ(with_policy("DAILY"), 5h);
  EXPECT_EQ(denied(429, R"({"message":"You have reached your secondly limit."})").fault.retry_after, 1s);
  EXPECT_EQ(denied(429, "<html>").fault.retry_after, 10s);
}

TEST(HubSpotAnswer, a_lock_waits_two_seconds_and_a_move_as_long_as_it_says) {
  EXPECT_EQ(denied(423, "{}").fault.retry_after, 2s);
  net::Headers headers;
  headers.add("Retry-After", "3600");
  auto const moving = denied(477, "{}", Effect::write, headers);
  EXPECT_EQ(moving.fault.kind, Kind::unavailable);
  EXPECT_EQ(moving.fault.retry_after, 1h);
  net::Headers absurd;
  absurd.add("Retry-After", "99999999999");
  EXPECT_EQ(denied(477, "{}", Effect::write, absurd).fault.retry_after, 24h);
}

TEST(HubSpotAnswer, a_bad_token_and_a_missing_scope_need_the_tenant) {
  EXPECT_EQ(denied(401, R"({"category":"INVALID_AUTHENTICATION"})").fault.kind, Kind::needs_reauth);
  auto const expired = denied(401, R"({"category":"EXPIRED_AUTHENTICATION"})");
  EXPECT_EQ(expired.fault.kind, Kind::needs_reauth);
  EXPECT_NE(expired.fault.detail.find("expired"), std::string::npos);
  auto const scope = denied(403, R"({"category":"MISSING_SCOPES",
    "errors":[{"context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}]})");
  EXPECT_EQ(scope.fault.kind, Kind::needs_reauth);
  EXPECT_NE(scope.fault.detail.find("crm.objects.contacts.write"), std::string::npos);
  EXPECT_EQ(denied(403, "{}").fault.kind, Kind::rejected);
}

TEST(HubSpotAnswer, a_lost_answer_is_ambiguous_only_when_something_was_to_be_written) {
  EXPECT_EQ(denied(502, "<html>").fault.kind, Kind::ambiguous);
  EXPECT_EQ(denied(502, "<html>", Effect::read).fault.kind, Kind::unavailable);
  base::Error const reset{base::Fault::unavailable, "Connection reset by peer"};
  base::Error const refused{base::Fault::unavailable, "Couldn't connect to server"};
  EXPECT_EQ(denial_of(reset, Effect::write).fault.kind, Kind::ambiguous);
  EXPECT_EQ(denial_of(reset, Effect::read).fault.kind, Kind::not_sent);
  EXPECT_EQ(denial_of(refused, Effect::write).fault.kind, Kind::not_sent);
  EXPECT_EQ(unreadable(200, Effect::write).fault.kind, Kind::ambiguous);
}

TEST(HubSpotAnswer, no_fault_repeats_what_hubspot_said_about_a_person) {
  constexpr auto talkative =
      R"({"message":"Email ada@example.com of Ada +15551230000 is invalid","category":"ada@example.com",
    "correlationId":"ada@example.com","policyName":"+15551230000",
    "errors":[{"context":{"propertyName":["Ada Lovelace"],"requiredScopes":["ada@example.com"]}}]})";
  for (unsigned const status : {400u, 401u, 403u, 404u, 409u, 429u, 477u, 500u}) {
    auto const fault = denied(status, talkative).fault;
    for (auto const* word : {"ada", "Ada", "5551230000"})
      EXPECT_EQ((fault.detail + fault.request_id).find(word), std::string::npos) << status;
  }
}

TEST(HubSpotAnswer, a_batch_tells_of_its_failures_whatever_its_status) {
  auto const answer = decode_batch(R"({"status":"COMPLETE","results":[],"numErrors":1,"errors":[
    {"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: 9","context":{"ids":["k"]}}]})");
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->errors.size(), 1u);
  EXPECT_EQ(answer->errors[0].existing_id, "9");
}

TEST(HubSpotAnswer, half_of_an_answer_is_none) {
  std::string const whole = R"({"id":"512","properties":{"email":"a@b.co","phone":null},"archived":false})";
  auto const object = decode_object(whole);
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->properties.size(), 1u);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(decode_object(whole.substr(0, length)).has_value());
  EXPECT_FALSE(decode_object(R"({"id":"../x","properties":{}})").has_value());
}

TEST(HubSpotAnswer, the_day_ends_at_midnight_of_the_account) {
  Wall const evening = std::chrono::sys_days{std::chrono::year{2026} / 3 / 3} + 3h;
  EXPECT_EQ(until_midnight(evening, -300min), 2h);
  EXPECT_EQ(until_midnight(evening, 0min), 21h);
  EXPECT_EQ(until_midnight(evening, std::nullopt), 1h);
}

}  // namespace
}  // namespace crm::hubspot
