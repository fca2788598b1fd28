#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "crm/adapters/webhook/signature.h"
#include "gateway/base/base64.h"
#include "gateway/base/ids.h"

namespace {

using base::Secret;
using crm::webhook::read_signing_secret;
using crm::webhook::SignedHeaders;

nlohmann::json const& file() {
  static auto const parsed = nlohmann::json::parse(std::ifstream{TEST_DATA "/standard-webhooks-vectors.json"});
  return parsed;
}

nlohmann::json const& vector_named(std::string const& name) {
  for (auto const& vector : file().at("vectors"))
    if (vector.at("name") == name) return vector;
  throw std::runtime_error{"no vector " + name};
}

Secret key_of(std::string const& text) {
  return read_signing_secret(Secret{text}).value();
}

std::string hex(Secret const& key) {
  auto const bytes = key.reveal();
  return base::to_hex({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()});
}

std::int64_t timestamp_of(nlohmann::json const& vector) {
  return std::stoll(vector.at("webhookTimestamp").get<std::string>());
}

TEST(WebhookSignature, is_the_one_of_every_published_vector) {
  int made = 0;
  for (auto const& vector : file().at("vectors")) {
    auto const key = key_of(vector.at("secret"));
    EXPECT_EQ(hex(key), vector.at("secretKeyHex").get<std::string>());
    std::string const id = vector.at("webhookId"), body = vector.at("payload"), stamp = vector.at("webhookTimestamp"),
                      signature = vector.at("webhookSignature");
    EXPECT_EQ(crm::webhook::sign(key, id, timestamp_of(vector), body), signature) << vector.at("name");
    EXPECT_TRUE(crm::webhook::verify(std::span{&key, 1}, {id, stamp, signature}, body, timestamp_of(vector)));
    ++made;
  }
  EXPECT_EQ(made, 4);
}

TEST(WebhookSignature, refuses_every_published_forgery) {
  int refused = 0;
  for (auto const& change : file().at("negative")) {
    auto const& base = vector_named(change.at("base"));
    auto const key = key_of(base.at("secret"));
    std::string id = base.at("webhookId");
    if (change.contains("omitHeader")) id.clear();
    std::string const stamp = base.at("webhookTimestamp");
    std::string const signature = change.value("webhookSignature", base.at("webhookSignature").get<std::string>());
    std::string const body = change.value("payload", base.at("payload").get<std::string>());
    auto const now = change.value("nowUnix", timestamp_of(base));
    EXPECT_FALSE(crm::webhook::verify(std::span{&key, 1}, {id, stamp, signature}, body, now)) << change.at("change");
    ++refused;
  }
  EXPECT_EQ(refused, 6);
}

TEST(WebhookSignature, by_two_keys_is_accepted_by_who_holds_either) {
  auto const& vector = vector_named("empty_object_64_byte_key_rotation");
  std::vector<Secret> const both{key_of(vector.at("oldSecret")), key_of(vector.at("secret"))};
  std::string const id = vector.at("webhookId"), stamp = vector.at("webhookTimestamp");
  auto const when = timestamp_of(vector);
  auto const header = crm::webhook::sign(both, id, when, "{}");
  EXPECT_EQ(header, vector.at("headerDuringRotation").get<std::string>());
  for (auto const& key : both) EXPECT_TRUE(crm::webhook::verify(std::span{&key, 1}, {id, stamp, header}, "{}", when));
  auto const stranger = read_signing_secret(crm::webhook::new_signing_secret()).value();
  EXPECT_FALSE(crm::webhook::verify(std::span{&stranger, 1}, {id, stamp, header}, "{}", when));
}

TEST(WebhookSignature, is_taken_up_to_the_edge_of_the_tolerance) {
  auto const key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  auto const header = crm::webhook::sign(key, "evt_1", 1000, "{}");
  for (auto const now : {700, 1000, 1300})
    EXPECT_TRUE(crm::webhook::verify(std::span{&key, 1}, {"evt_1", "1000", header}, "{}", now));
  for (auto const now : {699, 1301})
    EXPECT_FALSE(crm::webhook::verify(std::span{&key, 1}, {"evt_1", "1000", header}, "{}", now));
}

TEST(WebhookSignature, needs_a_plain_timestamp_and_an_id_that_cannot_be_confused) {
  auto const key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  auto const header = crm::webhook::sign(key, "evt", 1000, "5.{}");
  EXPECT_TRUE(crm::webhook::verify(std::span{&key, 1}, {"evt", "1000", header}, "5.{}", 1000));
  EXPECT_FALSE(crm::webhook::verify(std::span{&key, 1}, {"evt.1000", "5", header}, "{}", 5));
  for (std::string_view const stamp : {"", "1000 ", "+1000", "1e3", "99999999999999999999"})
    EXPECT_FALSE(crm::webhook::verify(std::span{&key, 1}, {"evt", stamp, header}, "5.{}", 1000)) << stamp;
  EXPECT_FALSE(crm::webhook::verify({}, {"evt", "1000", header}, "5.{}", 1000));
  Secret const none;
  EXPECT_FALSE(
      crm::webhook::verify(std::span{&none, 1}, {"evt", "1000", crm::webhook::sign(none, "evt", 1000, "")}, "", 1000));
}

TEST(WebhookSecret, is_whsec_and_base64_of_24_to_64_bytes_and_nothing_else) {
  auto const of = [](std::size_t bytes) { return "whsec_" + base::to_base64(std::string(bytes, 'k')); };
  for (auto const bytes : {24U, 32U, 64U}) EXPECT_TRUE(read_signing_secret(Secret{of(bytes)})) << bytes;
  for (auto const bytes : {0U, 23U, 65U}) EXPECT_FALSE(read_signing_secret(Secret{of(bytes)})) << bytes;
  for (auto const* text : {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                           "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    auto const read = read_signing_secret(Secret{text});
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().detail.find("MfKQ"), std::string::npos);
  }
}

TEST(WebhookSecret, is_new_each_time) {
  auto const one = crm::webhook::new_signing_secret();
  EXPECT_TRUE(read_signing_secret(one));
  EXPECT_NE(one.reveal(), crm::webhook::new_signing_secret().reveal());
}

}  // namespace
