#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "loadtest/sim/twilio/signature.h"

namespace sim::twilio {
namespace {

TEST(SimSignature, is_the_one_of_the_official_library_for_every_published_form_vector) {
  std::ifstream in{std::string{TEST_DATA} + "/twilio-signature-vectors.json"};
  auto const file = nlohmann::json::parse(in);
  int compared = 0;
  for (auto const& vector : file["vectors"]) {
    if (vector["group"] != "form") continue;
    net::Form params;
    for (auto const& pair : vector["params"]) params.emplace_back(pair[0], pair[1]);
    EXPECT_EQ(sign(vector["auth_token"].get<std::string>(), vector["url"].get<std::string>(), params),
              vector["x_twilio_signature"].get<std::string>())
        << vector["id"];
    ++compared;
  }
  EXPECT_GE(compared, 8);
}

TEST(SimSignature, of_a_stream_upgrade_covers_the_wss_url_alone) {
  EXPECT_EQ(sign("0123456789abcdef0123456789abcdef", "wss://gw.example.com/twilio/media"),
            "XbuEIyqfcj7N6LuncPZwBi5k3OI=");
  EXPECT_EQ(sign("0123456789abcdef0123456789abcdef", "wss://gw.example.com/twilio/media/"),
            "3WOChzT7xOuqSQPWtgWioHafx+o=");
}

TEST(SimSignature, leaves_port_password_and_fragment_out_of_an_https_url_and_keeps_an_http_port) {
  EXPECT_EQ(signed_url("https://user:pass@gw.example.com:8443/voice?x=%2Fa#rc=2"),
            "https://gw.example.com/voice?x=%2Fa");
  EXPECT_EQ(signed_url("http://gw.example.com:8080/voice"), "http://gw.example.com:8080/voice");
  EXPECT_EQ(signed_url("https://gw.example.com"), "https://gw.example.com");
}

}  // namespace
}  // namespace sim::twilio
