#include "crm/adapters/webhook/webhook.h"

#include <gmock/gmock.h>

#include <boost/asio/post.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "crm/adapters/webhook/message.h"
#include "crm/adapters/webhook/signature.h"
#include "crm/outbox/dispatcher.h"
#include "gateway/base/task_group.h"
#include "tests/crm/outbox_scene.h"
#include "tests/net/server_scene.h"

namespace {

using crm::DeliveryFault;
using crm::webhook::receipt_from;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;
using Kind = DeliveryFault::Kind;

base::Secret const secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};

/// An endpoint of somebody: keeps what it is sent, answers as told, else 200.
class Endpoint {
 public:
  Endpoint() {
    scene.router.on("POST", "/hook", [this](net::Request request) -> base::Async<net::Response> {
      net::Response answer = net::Response::empty(200);
      {
        std::lock_guard const lock{guard_};
        came_.push_back(std::move(request));
        if (!answers_.empty()) {
          answer = answers_.front();
          answers_.pop_front();
        }
      }
      co_return answer;
    });
    scene.start();
  }
  void answers(net::Response answer) {
    std::lock_guard const lock{guard_};
    answers_.push_back(std::move(answer));
  }
  std::vector<net::Request> came() {
    std::lock_guard const lock{guard_};
    return came_;
  }
  std::string url() const { return scene.url("/hook"); }

  test::ServerScene scene;

 private:
  std::mutex guard_;
  std::vector<net::Request> came_;
  std::deque<net::Response> answers_;
};

class WebhookDelivery : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "update integrations set settings = '{\"url\": \"" + endpoint.url() + "\"}'");
    start();
  }
  void TearDown() override {
    if (dispatcher) stop(seconds{0});
  }

  void start() {
    dispatcher.emplace(loop.get_executor(), *pool, time, webhook(), base::Log::silent(), metrics,
                       crm::Dispatcher::Settings{.delivery_limit = milliseconds{2'000},
                                                 .poll = milliseconds{20},
                                                 .first_backoff = milliseconds{1},
                                                 .after_ambiguous = milliseconds{1}},
                       [] { return 0.5; });
    tasks.emplace(loop.get_executor());
    tasks->spawn(dispatcher->run());
  }
  void stop(base::TimeSource::Clock::duration grace) {
    auto const drain = [&]() -> base::Async<bool> {
      co_await dispatcher->drain(grace);
      co_return true;
    };
    run(drain());
    dispatcher.reset();
  }
  crm::webhook::Webhook& webhook() {
    if (!webhook_) {
      webhook_.emplace(
          http, *pool, time,
          [this](crm::Integration, base::Instant) -> base::Async<base::Result<base::Secret>> { co_return revealed; });
    }
    return *webhook_;
  }
  bool becomes(std::function<bool()> const& so) {
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{20};
    while (!so()) {
      if (std::chrono::steady_clock::now() > until) return false;
      loop.run_one_for(milliseconds{20});
    }
    return true;
  }
  bool becomes(std::string const& id, std::string const& status) {
    return becomes([&] { return of(id, "status") == status; });
  }

  Endpoint endpoint;
  net::HttpClient http;
  base::Result<base::Secret> revealed = secret;
  base::Metrics metrics;
  std::optional<crm::Dispatcher> dispatcher;
  std::optional<base::TaskGroup> tasks;

 private:
  std::optional<crm::webhook::Webhook> webhook_;
};

TEST_F(WebhookDelivery, posts_what_happened_with_a_signature_that_holds) {
  auto const id = tell();
  ASSERT_TRUE(becomes(id, "done"));
  auto const came = endpoint.came();
  ASSERT_EQ(came.size(), 1U);
  auto const& request = came[0];
  EXPECT_EQ(request.headers.find("content-type"), "application/json");
  EXPECT_EQ(request.headers.find("webhook-id"), id);
  std::vector const keys{*crm::webhook::read_signing_secret(secret)};
  auto const now = std::chrono::duration_cast<seconds>(time.wall().time_since_epoch()).count();
  EXPECT_TRUE(crm::webhook::verify(keys,
                                   {request.headers.find("webhook-id"), request.headers.find("webhook-timestamp"),
                                    request.headers.find("webhook-signature")},
                                   request.body, now));
  auto const body = nlohmann::json::parse(request.body);
  EXPECT_EQ(body["type"], "call.ended");
  EXPECT_EQ(body["timestamp"], "2026-01-31T09:30:00.123Z");
  EXPECT_EQ(body["data"]["outcome"], "other");
  EXPECT_EQ(body["data"]["call_id"], "call_1");
  EXPECT_EQ(of_attempt(id, 1, "http_status"), "200");
}

TEST_F(WebhookDelivery, repeats_with_the_same_id_and_body_when_the_answer_was_lost) {
  endpoint.answers(net::Response::none());
  auto const id = tell();
  ASSERT_TRUE(becomes(id, "done"));
  auto const came = endpoint.came();
  ASSERT_EQ(came.size(), 2U);
  EXPECT_EQ(came[0].headers.find("webhook-id"), came[1].headers.find("webhook-id"));
  EXPECT_EQ(came[0].body, came[1].body);
  EXPECT_EQ(of_attempt(id, 1, "fault"), "ambiguous");
}

TEST_F(WebhookDelivery, repeats_with_the_same_id_after_a_crash_between_delivery_and_note) {
  auto const id = tell();
  sql(conninfo, "alter table delivery_attempts add constraint nothing_can_be_noted check (false)");
  ASSERT_TRUE(becomes([&] { return endpoint.came().size() == 1; }));
  stop(seconds{0});
  sql(conninfo, "alter table delivery_attempts drop constraint nothing_can_be_noted");
  EXPECT_EQ(of(id, "status"), "leased");
  let_lease_run_out(id);
  start();
  ASSERT_TRUE(becomes(id, "done"));
  auto const came = endpoint.came();
  ASSERT_EQ(came.size(), 2U);
  EXPECT_EQ(came[0].headers.find("webhook-id"), came[1].headers.find("webhook-id"));
  EXPECT_EQ(came[0].body, came[1].body);
}

TEST_F(WebhookDelivery, waits_as_long_as_the_receiver_asks) {
  auto slow_down = net::Response::empty(429);
  slow_down.headers.add("Retry-After", "1");
  endpoint.answers(slow_down);
  auto const id = tell();
  auto const begun = time.now();
  ASSERT_TRUE(becomes(id, "done"));
  EXPECT_GE(time.now() - begun, milliseconds{950});
  EXPECT_EQ(of_attempt(id, 1, "fault"), "rate_limited");
  EXPECT_EQ(endpoint.came().size(), 2U);
}

TEST_F(WebhookDelivery, never_asks_an_endpoint_again_that_says_it_is_gone) {
  endpoint.answers(net::Response::empty(410));
  auto const id = tell();
  auto const next = tell();
  ASSERT_TRUE(becomes(id, "parked"));
  loop.run_for(milliseconds{100});
  EXPECT_EQ(endpoint.came().size(), 1U);
  EXPECT_EQ(of(next, "status"), "waiting");
  EXPECT_EQ(sql(conninfo, "select status from integrations"), "disabled");
}

TEST_F(WebhookDelivery, asks_for_a_new_secret_when_the_old_one_cannot_be_opened) {
  revealed = base::fail(base::Fault::refused, "no key");
  auto const id = tell();
  ASSERT_TRUE(becomes(id, "parked"));
  EXPECT_EQ(endpoint.came().size(), 0U);
  EXPECT_EQ(sql(conninfo, "select status from integrations"), "needs_reauth");
}

TEST_F(WebhookDelivery, tries_again_when_nobody_answers_at_all) {
  sql(conninfo, "update integrations set settings = '{\"url\": \"http://127.0.0.1:1/hook\"}'");
  auto const id = tell();
  ASSERT_TRUE(becomes([&] { return of_attempt(id, 2, "fault") == "ambiguous"; }));
  sql(conninfo, "update integrations set settings = '{\"url\": \"" + endpoint.url() + "\"}'");
  EXPECT_TRUE(becomes(id, "done"));
}

TEST(WebhookAnswer, decides_what_happens_next) {
  struct Case {
    unsigned status;
    std::optional<Kind> kind;
  };
  for (auto const& [status, kind] : {Case{200, {}},
                                     {204, {}},
                                     {302, Kind::unavailable},
                                     {400, Kind::rejected},
                                     {401, Kind::unavailable},
                                     {404, Kind::unavailable},
                                     {410, Kind::rejected},
                                     {413, Kind::rejected},
                                     {422, Kind::rejected},
                                     {429, Kind::rate_limited},
                                     {500, Kind::unavailable},
                                     {503, Kind::unavailable},
                                     {504, Kind::unavailable}}) {
    auto const receipt = receipt_from(net::Response::empty(status), {});
    EXPECT_EQ(receipt.has_value(), !kind) << status;
    if (!receipt && kind) EXPECT_EQ(receipt.error().kind, *kind) << status;
  }
  auto busy = net::Response::empty(503);
  busy.headers.add("Retry-After", "7");
  EXPECT_EQ(receipt_from(busy, {}).error().kind, Kind::rate_limited);
  EXPECT_EQ(receipt_from(busy, {}).error().retry_after, seconds{7});
}

TEST(WebhookSettings, are_an_address_of_the_web_without_credentials) {
  EXPECT_EQ(crm::webhook::read_settings(R"({"url": "https://hooks.example/a?b=c"})")->url,
            "https://hooks.example/a?b=c");
  for (auto const* text : {"", "{}", R"({"url": 5})", R"({"url": "ftp://a"})", R"({"url": "wss://a"})",
                           R"({"url": "https://me:secret@a.example"})"})
    EXPECT_FALSE(crm::webhook::read_settings(text)) << text;
}

TEST(WebhookBody, is_the_same_for_the_same_row_and_stands_a_payload_that_is_none) {
  crm::OutboxRow row;
  row.event = "call.ended";
  row.payload_json = "nothing";
  EXPECT_EQ(crm::webhook::body_of(row), R"({"data":{},"timestamp":"1970-01-01T00:00:00.000Z","type":"call.ended"})");
}

}  // namespace
