#include "gateway/agent/elevenlabs/webhook_signature.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "gateway/base/base64.h"

namespace gateway::elevenlabs {
namespace {

nlohmann::json const& vectors() {
  static auto const file = nlohmann::json::parse(std::ifstream{TEST_DATA "/elevenlabs-webhook-vectors.json"});
  return file.at("vectors");
}

std::string bytes_of(std::string const& base64) {
  std::vector<std::uint8_t> bytes(base::base64_decoded_bound(base64.size()));
  auto const size = base::decode_base64(base64, bytes).value();
  return {reinterpret_cast<char const*>(bytes.data()), size};
}

TEST(AgentWebhookSignature, is_judged_as_every_published_vector_asks) {
  int judged = 0;
  for (auto const& vector : vectors()) {
    base::Secret const secret{vector.at("secret").get<std::string>()};
    std::string const header = vector.at("header").is_null() ? "" : vector.at("header");
    auto const body = bytes_of(vector.at("body_base64"));
    auto const verdict = check_signature(secret, header, body, vector.at("now_unix"));
    auto const wanted = vector.at("expect") == "accept" ? "good" : vector.at("reason").get<std::string>();
    EXPECT_EQ(to_string(verdict), wanted) << vector.at("id") << ": " << vector.at("why");
    ++judged;
  }
  EXPECT_EQ(judged, 23);
}

TEST(AgentWebhookSignature, may_be_half_an_hour_old_and_five_minutes_early) {
  base::Secret const secret{"wsec_x"};
  auto const header = sign_webhook(secret, "{}", 10'000);
  for (auto const now : {11'800, 10'000, 9'700})
    EXPECT_EQ(check_signature(secret, header, "{}", now), SignatureVerdict::good) << now;
  for (auto const now : {11'801, 9'699}) {
    EXPECT_EQ(check_signature(secret, header, "{}", now), SignatureVerdict::stale) << now;
    EXPECT_EQ(glance_at_signature(header, now), SignatureVerdict::stale) << now;
  }
}

TEST(AgentWebhookSignature, is_never_good_without_a_secret) {
  base::Secret const none;
  EXPECT_EQ(check_signature(none, sign_webhook(none, "{}", 10), "{}", 10), SignatureVerdict::mismatch);
}

TEST(AgentWebhookSignature, names_one_time_and_not_too_many_signatures) {
  base::Secret const secret{"wsec_x"};
  auto const header = sign_webhook(secret, "{}", 10);
  auto many = header;
  for (int i = 0; i < 8; ++i) many += ",v0=" + std::string(64, '0');
  for (auto const& text : {header + ",t=10", "t=-10" + header.substr(4), many, std::string{","}, std::string{"v0"}})
    EXPECT_EQ(check_signature(secret, text, "{}", 10), SignatureVerdict::malformed) << text;
  auto const comma = header.find(',');
  EXPECT_EQ(check_signature(secret, header.substr(0, comma) + ", " + header.substr(comma + 1), "{}", 10),
            SignatureVerdict::good);
}

}  // namespace
}  // namespace gateway::elevenlabs
