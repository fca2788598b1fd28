#include "loadtest/sim/crm/webhook_receiver.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "loadtest/sim/crm/crm_sim.h"
#include "tests/support/manual_time.h"
#include "tests/support/story.h"

namespace {

using sim::crm::WebhookReceiver;
using std::chrono::seconds;
using Json = nlohmann::json;

Json vectors() {
  std::ifstream file{std::string{TEST_DATA} + "/standard-webhooks-vectors.json"};
  return Json::parse(file);
}

Json vector(std::string const& name) {
  for (auto const& each : vectors()["vectors"])
    if (each["name"] == name) return each;
  ADD_FAILURE() << name;
  return {};
}

/// A receiver whose clock shows the time at which the vector was signed.
struct Receiving {
  explicit Receiving(Json sample, seconds late = seconds{0})
      : given{std::move(sample)}, receiver{time, given["secret"].get<std::string>()} {
    auto const signed_at = base::TimeSource::Wall{seconds{std::stoll(given["webhookTimestamp"].get<std::string>())}};
    time.advance(signed_at + late - time.wall());
    receiver.add_routes(router);
    request.method = "POST";
    request.body = given["payload"].get<std::string>();
    header("content-type", "application/json");
    header("webhook-id", given["webhookId"].get<std::string>());
    header("webhook-timestamp", given["webhookTimestamp"].get<std::string>());
    header("webhook-signature", given["webhookSignature"].get<std::string>());
  }
  void header(std::string name, std::string value) { request.headers.add(std::move(name), std::move(value)); }
  void change(std::string const& name, std::string const& value) {
    net::Headers changed;
    for (auto const& [known, old] : request.headers) changed.add(known, known == name ? value : old);
    request.headers = changed;
  }
  unsigned post() {
    unsigned status = 1;
    auto const route = router.find("POST", "/webhook").route;
    test::play(io, [&]() -> base::Async<> {
      auto const answer = co_await route->handler(request);
      status = answer.status;
    });
    return status;
  }

  Json given;
  test::ManualTime time;
  asio::io_context io{1};
  WebhookReceiver receiver;
  net::Router router;
  net::Request request;
};

TEST(SimulatedWebhookReceiver, takes_what_is_signed_as_the_standard_says) {
  for (auto const* name : {"call_ended_24_byte_key", "utf8_body_32_byte_key"}) {
    Receiving receiving{vector(name)};
    EXPECT_EQ(receiving.post(), 204U) << name;
    ASSERT_EQ(receiving.receiver.received().size(), 1U);
    EXPECT_EQ(receiving.receiver.received()[0].type, "call.ended");
  }
}

TEST(SimulatedWebhookReceiver, refuses_what_the_reference_library_refuses) {
  auto const all = vectors();
  for (auto const& negative : all["negative"]) {
    Receiving receiving{vector(negative["base"])};
    if (negative.contains("webhookSignature"))
      receiving.change("webhook-signature", negative["webhookSignature"].get<std::string>());
    if (negative.contains("payload")) receiving.request.body = negative["payload"].get<std::string>();
    if (negative.contains("omitHeader")) receiving.change(negative["omitHeader"].get<std::string>(), "");
    if (negative.contains("nowUnix"))
      receiving.time.advance(base::TimeSource::Wall{seconds{negative["nowUnix"].get<std::int64_t>()}} -
                             receiving.time.wall());
    EXPECT_GE(receiving.post(), 400U) << negative["change"];
    EXPECT_TRUE(receiving.receiver.received().empty());
    EXPECT_EQ(receiving.receiver.refused().size(), 1U);
  }
}

TEST(SimulatedWebhookReceiver, takes_a_secret_that_is_being_changed) {
  auto sample = vector("empty_object_64_byte_key_rotation");
  Receiving receiving{sample};
  receiving.change("webhook-signature", sample["headerDuringRotation"].get<std::string>());
  EXPECT_EQ(receiving.post(), 422U) << "signed well, but an empty object says nothing";
}

TEST(SimulatedWebhookReceiver, counts_the_same_event_once) {
  Receiving receiving{vector("call_ended_24_byte_key")};
  EXPECT_EQ(receiving.post(), 204U);
  EXPECT_EQ(receiving.post(), 204U);
  EXPECT_EQ(receiving.receiver.received().size(), 1U);
  EXPECT_EQ(receiving.receiver.repeats(), 1U);
}

TEST(SimulatedWebhookReceiver, misbehaves_on_request) {
  Receiving receiving{vector("call_ended_24_byte_key")};
  receiving.receiver.inject({.status = 503, .retry_after = 2});
  receiving.receiver.inject({.status = 0, .keeps = true});
  EXPECT_EQ(receiving.post(), 503U);
  EXPECT_TRUE(receiving.receiver.received().empty());
  EXPECT_EQ(receiving.post(), 0U) << "no answer at all";
  EXPECT_EQ(receiving.receiver.received().size(), 1U);
  EXPECT_EQ(receiving.post(), 204U);
  EXPECT_EQ(receiving.receiver.repeats(), 1U);
}

TEST(SimulatedWebhookReceiver, has_no_use_for_a_secret_that_is_none) {
  test::ManualTime time;
  EXPECT_THROW((WebhookReceiver{time, "secret"}), std::runtime_error);
  EXPECT_THROW((WebhookReceiver{time, "whsec_c2hvcnQ="}), std::runtime_error);
}

}  // namespace
