#include "gateway/twilio/signature.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

namespace {

namespace twilio = gateway::twilio;

nlohmann::json const& vectors() {
  static auto const file = nlohmann::json::parse(std::ifstream{TEST_DATA "/twilio-signature-vectors.json"});
  return file.at("vectors");
}

net::Form params_of(nlohmann::json const& vector) {
  net::Form form;
  for (auto const& pair : vector.at("params")) form.emplace_back(pair.at(0), pair.at(1));
  return form;
}

std::vector<base::Secret> token(std::string text) {
  return {base::Secret{std::move(text)}};
}

net::Url url(std::string_view text) {
  return net::parse_url(text).value();
}

twilio::SignatureVerifier const verifier{url("https://gw.example.com")};
auto const tokens = token("0123456789abcdef0123456789abcdef");
net::Form const call{{"CallSid", "CA00000000000000000000000000000001"}, {"From", "+14155550100"}, {"ToCity", ""}};

std::string signed_by(std::vector<base::Secret> const& secrets, std::string_view text, net::Form const& form = {}) {
  return twilio::sign(secrets.front(), text, form);
}

TEST(Signature, decides_every_published_vector_as_required) {
  int decided = 0;
  for (auto const& vector : vectors()) {
    if (vector.at("gateway_must_accept").is_null()) continue;
    auto const secret = token(vector.at("auth_token"));
    std::string const address = vector.at("url"), header = vector.at("x_twilio_signature");
    std::string const raw_body = vector.at("raw_body").is_string() ? vector.at("raw_body") : "";
    bool accepted = false;
    if (address.starts_with("wss:") || vector.at("id") == "wss-05-https-scheme-negative") {
      accepted = twilio::accepts_upgrade(secret, address, header);
    } else if (address.contains("bodySHA256")) {
      accepted = twilio::accepts_json(secret, address, raw_body, header);
    } else {
      accepted = twilio::accepts_form(secret, address, params_of(vector), header);
    }
    EXPECT_EQ(accepted, vector.at("gateway_must_accept").get<bool>()) << vector.at("id") << ": " << vector.at("why");
    ++decided;
  }
  EXPECT_EQ(decided, 39);
}

TEST(Signature, gets_the_same_fields_from_the_raw_body_of_each_vector) {
  for (auto const& vector : vectors()) {
    // Two vectors show what happens when the parser loses something on the way.
    std::string const id = vector.at("id"), address = vector.at("url");
    if (!vector.at("raw_body").is_string() || address.contains("bodySHA256")) continue;
    auto const form = net::decode_form(vector.at("raw_body").get<std::string>());
    ASSERT_TRUE(form.has_value()) << id;
    if (id.starts_with("neg-")) continue;
    EXPECT_EQ(*form, params_of(vector)) << id;
  }
}

TEST(Signature, signs_every_vector_as_the_official_library_does) {
  for (auto const& vector : vectors()) {
    if (!vector.at("official_library_accepts").get<bool>()) continue;
    std::string const text = vector.at("string_to_sign");
    std::string const secret = vector.at("signed_with_token"), expected = vector.at("signature_over_string_to_sign");
    EXPECT_EQ(twilio::sign(base::Secret{secret}, text), expected) << vector.at("id");
  }
}

TEST(Signature, matches_the_vector_of_the_official_sdk) {
  net::Form const form{{"CallSid", "CA1234567890ABCDE"},
                       {"Caller", "+12349013030"},
                       {"Digits", "1234"},
                       {"From", "+12349013030"},
                       {"To", "+18005551212"}};
  EXPECT_EQ(twilio::sign(base::Secret{"12345"}, "https://mycompany.com/myapp.php?foo=1&bar=2", form),
            "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
}

TEST(Signature, joins_the_configured_base_and_the_raw_target) {
  auto const header = signed_by(tokens, "https://gw.example.com/api/twilio/voice-callback?x=%2fa'b", call);
  EXPECT_TRUE(verifier.verify_form(tokens, "/api/twilio/voice-callback?x=%2fa'b", call, header));
  EXPECT_FALSE(verifier.verify_form(tokens, "/api/twilio/voice-callback", call, header));
  EXPECT_FALSE(verifier.verify_form(tokens, "https://gw.example.com/api/twilio/voice-callback?x=%2fa'b", call, header));
  EXPECT_FALSE(verifier.verify_form(tokens, "", call, header));
}

TEST(Signature, puts_the_prefix_of_the_base_back_and_ignores_user_names) {
  twilio::SignatureVerifier const behind_proxy{url("https://user:pass@gw.example.com:8443/tel/")};
  EXPECT_TRUE(
      behind_proxy.verify_form(tokens, "/voice", call, signed_by(tokens, "https://gw.example.com/tel/voice", call)));
  EXPECT_TRUE(behind_proxy.verify_form(tokens, "/voice", call,
                                       signed_by(tokens, "https://gw.example.com:8443/tel/voice", call)));
  EXPECT_FALSE(behind_proxy.verify_form(tokens, "/voice", call,
                                        signed_by(tokens, "https://gw.example.com:443/tel/voice", call)));
}

TEST(Signature, accepts_the_host_in_lower_case_when_configured_otherwise) {
  twilio::SignatureVerifier const capital{url("https://GW.Example.com")};
  EXPECT_TRUE(capital.verify_form(tokens, "/voice", call, signed_by(tokens, "https://gw.example.com/voice", call)));
  EXPECT_TRUE(capital.verify_form(tokens, "/voice", call, signed_by(tokens, "https://GW.Example.com/voice", call)));
  EXPECT_TRUE(capital.verify_websocket(tokens, "/m", signed_by(tokens, "wss://gw.example.com/m")));
}

TEST(Signature, accepts_http_only_behind_an_http_base) {
  twilio::SignatureVerifier const plain{url("http://127.0.0.1:3000")};
  EXPECT_TRUE(plain.verify_form(tokens, "/voice", call, signed_by(tokens, "http://127.0.0.1:3000/voice", call)));
  EXPECT_FALSE(plain.verify_form(tokens, "/voice", call, signed_by(tokens, "https://127.0.0.1:3000/voice", call)));
  EXPECT_TRUE(plain.verify_websocket(tokens, "/m", signed_by(tokens, "ws://127.0.0.1:3000/m")));
  EXPECT_TRUE(plain.verify_websocket(tokens, "/m", signed_by(tokens, "wss://127.0.0.1:3000/m")));
  EXPECT_FALSE(verifier.verify_form(tokens, "/voice", call, signed_by(tokens, "http://gw.example.com/voice", call)));
  EXPECT_FALSE(verifier.verify_websocket(tokens, "/m", signed_by(tokens, "ws://gw.example.com/m")));
}

TEST(Signature, accepts_the_upgrade_urls_that_twilio_is_known_to_sign) {
  for (auto const* text : {"wss://gw.example.com/media/a", "wss://gw.example.com/media/a/",
                           "wss://gw.example.com:443/media/a", "wss://gw.example.com:443/media/a/"}) {
    EXPECT_TRUE(verifier.verify_websocket(tokens, "/media/a", signed_by(tokens, text))) << text;
  }
  EXPECT_TRUE(verifier.verify_websocket(tokens, "/", signed_by(tokens, "wss://gw.example.com")));
  EXPECT_TRUE(verifier.verify_websocket(tokens, "/m?b=2&a=1", signed_by(tokens, "wss://gw.example.com/m?b=2&a=1")));
  EXPECT_TRUE(verifier.verify_websocket(tokens, "/m?b=2&a=1",
                                        signed_by(tokens, "wss://gw.example.com/m", {{"b", "2"}, {"a", "1"}})));
  for (auto const* text :
       {"https://gw.example.com/media/a", "wss://gw.example.com/media", "wss://gw.example.com/media/a?x=1",
        "wss://gw.example.com:80/media/a", "wss://evil.example/media/a"}) {
    EXPECT_FALSE(verifier.verify_websocket(tokens, "/media/a", signed_by(tokens, text))) << text;
  }
}

TEST(Signature, adds_a_trailing_slash_for_upgrades_only) {
  EXPECT_FALSE(verifier.verify_form(tokens, "/voice", call, signed_by(tokens, "https://gw.example.com/voice/", call)));
}

TEST(Signature, accepts_either_token_while_one_replaces_the_other) {
  std::vector<base::Secret> const both{base::Secret{"primary"}, base::Secret{"secondary"}};
  for (auto const& secret : both) {
    EXPECT_TRUE(verifier.verify_form(both, "/voice", call, twilio::sign(secret, "https://gw.example.com/voice", call)));
  }
  EXPECT_FALSE(
      verifier.verify_form(both, "/voice", call, signed_by(token("third"), "https://gw.example.com/voice", call)));
}

TEST(Signature, accepts_nothing_without_a_token) {
  EXPECT_FALSE(verifier.verify_form({}, "/voice", call, signed_by(token(""), "https://gw.example.com/voice", call)));
  EXPECT_FALSE(
      verifier.verify_form(token(""), "/voice", call, signed_by(token(""), "https://gw.example.com/voice", call)));
}

TEST(Signature, needs_the_right_body_behind_a_json_hash) {
  std::string const body = R"({"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"})";
  std::string const target = "/hook?bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9";
  auto const header = signed_by(tokens, "https://gw.example.com" + target);
  EXPECT_TRUE(verifier.verify_json(tokens, target, body, header));
  EXPECT_FALSE(verifier.verify_json(tokens, target, body + " ", header));
  EXPECT_FALSE(verifier.verify_json(tokens, "/hook", body, signed_by(tokens, "https://gw.example.com/hook")));
  EXPECT_FALSE(verifier.verify_json(tokens, target, "", header));
  // Only the official lower-case form counts, also when Twilio itself had signed another one.
  std::string const upper = "/hook?bodySHA256=5CCDE7145DFB8F56479710896586CB9D5911809D83AFBE34627818790DB0AEC9";
  EXPECT_FALSE(verifier.verify_json(tokens, upper, body, signed_by(tokens, "https://gw.example.com" + upper)));
}

TEST(Signature, sorts_names_by_bytes_or_by_utf16_units) {
  // U+FF5E sorts before U+1F44B by code point and by UTF-8 byte, behind it by UTF-16 unit.
  net::Form const form{{"～", "wide"}, {"👋", "wave"}, {"a", "b"}};
  EXPECT_TRUE(verifier.verify_form(tokens, "/v", form, signed_by(tokens, "https://gw.example.com/vab～wide👋wave")));
  EXPECT_TRUE(verifier.verify_form(tokens, "/v", form, signed_by(tokens, "https://gw.example.com/vab👋wave～wide")));
  EXPECT_FALSE(verifier.verify_form(tokens, "/v", form, signed_by(tokens, "https://gw.example.com/v👋wave～wideab")));
}

TEST(Signature, falls_back_to_the_reencoded_query) {
  for (auto const* query : {"x=%2Fa&x=b&n=O%27Brien", "n=O'Brien"}) {
    auto const header = signed_by(tokens, "https://gw.example.com/v?" + std::string{query}, call);
    EXPECT_TRUE(verifier.verify_form(tokens, "/v?" + std::string{query}, call, header));
  }
  EXPECT_TRUE(verifier.verify_form(tokens, "/v?n=O'Brien", call,
                                   signed_by(tokens, "https://gw.example.com/v?n=O%27Brien", call)));
  EXPECT_TRUE(
      verifier.verify_form(tokens, "/v?x=%2fa", call, signed_by(tokens, "https://gw.example.com/v?x=%2Fa", call)));
}

TEST(Signature, refuses_each_flipped_bit_of_header_field_url_and_token) {
  std::string const target = "/voice?x=1";
  auto const header = signed_by(tokens, "https://gw.example.com" + target, call);
  ASSERT_TRUE(verifier.verify_form(tokens, target, call, header));
  auto const each_flip = [](std::string const& text, auto&& check) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        auto flipped = text;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        check(flipped);
      }
    }
  };
  each_flip(header, [&](std::string const& text) { EXPECT_FALSE(verifier.verify_form(tokens, target, call, text)); });
  each_flip(target,
            [&](std::string const& text) { EXPECT_FALSE(verifier.verify_form(tokens, text, call, header)) << text; });
  each_flip("0123456789abcdef0123456789abcdef",
            [&](std::string const& text) { EXPECT_FALSE(verifier.verify_form(token(text), target, call, header)); });
  for (std::size_t field = 0; field < call.size(); ++field) {
    each_flip(call[field].second, [&](std::string const& text) {
      auto form = call;
      form[field].second = text;
      EXPECT_FALSE(verifier.verify_form(tokens, target, form, header));
    });
  }
}

TEST(Signature, refuses_headers_of_another_shape) {
  auto const header = signed_by(tokens, "https://gw.example.com/voice", call);
  for (auto const& text :
       {std::string{}, header.substr(0, 27), header.substr(0, 26), header + "=", header + header, " " + header,
        header + "\n", std::string(28, '='), std::string(28, 'A'), std::string(28, '\0')}) {
    EXPECT_FALSE(verifier.verify_form(tokens, "/voice", call, text));
  }
}

/// One random change that a thief of a signed request could try.
void tamper(std::mt19937& random, std::string& target, net::Form& form, std::string& header) {
  auto const pick = [&](std::size_t size) { return random() % size; };
  auto& [name, value] = form[pick(form.size())];
  switch (random() % 8) {
    case 0:
      value += static_cast<char>('0' + pick(10));
      break;
    case 1:
      name += 'x';
      break;
    case 2:
      form.emplace_back("Extra" + std::to_string(random()), "1");
      break;
    case 3:
      form.erase(form.begin() + static_cast<std::ptrdiff_t>(pick(form.size())));
      break;
    case 4:
      target += static_cast<char>('a' + pick(26));
      break;
    case 5:
      target += "&y=" + std::to_string(random());
      break;
    case 6:
      header[pick(26)] ^= 1;
      break;
    case 7:
      value.insert(pick(value.size() + 1), " ");
      break;
  }
}

TEST(Signature, refuses_ten_thousand_tampered_requests) {
  std::mt19937 random{42};
  int accepted = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string target = "/voice?t=" + std::to_string(random());
    net::Form form;
    for (std::size_t i = 0; i < 1 + random() % 12; ++i)
      form.emplace_back("Name" + std::to_string(i), std::to_string(random()));
    auto header = signed_by(tokens, "https://gw.example.com" + target, form);
    ASSERT_TRUE(verifier.verify_form(tokens, target, form, header));
    auto const old_target = target, old_header = header;
    auto const old_form = form;
    tamper(random, target, form, header);
    ASSERT_TRUE(target != old_target || form != old_form || header != old_header);
    accepted += verifier.verify_form(tokens, target, form, header);
  }
  EXPECT_EQ(accepted, 0);
}

}  // namespace
