#include <boost/asio/executor_work_guard.hpp>
#include <thread>

#include "crm/store/inbox.h"
#include "gateway/agent/elevenlabs/webhook_door.h"
#include "gateway/agent/elevenlabs/webhook_signature.h"
#include "gateway/web/routes.h"
#include "tests/crm/call_scene.h"
#include "tests/net/server_scene.h"

namespace {

using gateway::elevenlabs::sign_webhook;
using gateway::elevenlabs::WebhookDoor;
using std::chrono::milliseconds;
using test::sql;

/// The door behind a real server, with a back office of its own.
class AgentWebhook : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    pool.emplace(settings(2), time);
    door.emplace(services(secret));
    gateway::web::add_agent_webhook_routes(public_port.router, *door);
    public_port.start();
    office_thread = std::thread{[this] { office.run(); }};
  }
  void TearDown() override {
    if (!office_thread.joinable()) return;
    asio::post(office, [this] { pool->close(); });
    work.reset();
    office_thread.join();
  }

  gateway::elevenlabs::WebhookServices services(base::Secret const& with) {
    return {with,
            office.get_executor(),
            *pool,
            time,
            metrics,
            base::Log::silent(),
            [this] { ++arrivals; },
            milliseconds{300}};
  }
  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(time.wall().time_since_epoch()).count();
  }
  test::Answer post(std::string const& body, std::string const& signature) {
    test::RawClient client{public_port.port()};
    auto const header = signature.empty() ? "" : "elevenlabs-signature: " + signature + "\r\n";
    return client.ask("POST /api/elevenlabs/webhook HTTP/1.1\r\nHost: x\r\n" + header +
                      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  test::Answer deliver(std::string const& body) { return post(body, sign_webhook(secret, body, now())); }
  std::string stored(std::string const& what) { return sql(conninfo, "select " + what + " from inbox"); }
  static std::string transcription(std::string const& conversation, int at = 5, std::string const& extra = "") {
    return R"({"type": "post_call_transcription", "event_timestamp": )" + std::to_string(at) +
           R"(, "data": {"conversation_id": ")" + conversation + "\"" + extra + "}}";
  }

  base::Secret const secret{"wsec_0123456789abcdef"};
  asio::io_context office{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{office.get_executor()};
  base::Metrics metrics;
  std::optional<crm::pg::Pool> pool;
  std::optional<WebhookDoor> door;
  std::atomic<int> arrivals = 0;
  std::thread office_thread;
  test::ServerScene public_port;
};

TEST_F(AgentWebhook, keeps_a_delivery_byte_for_byte_before_it_says_so) {
  auto const body = transcription("conv_1", 5, R"(,  "note": "Grüße \u0000 😀")") + "\n";
  EXPECT_EQ(deliver(body).status, 200U);
  EXPECT_EQ(stored("key"), "conv_1:post_call_transcription:5");
  EXPECT_EQ(stored("status"), "received");
  EXPECT_EQ(stored("encode(body, 'base64')"),
            sql(conninfo, "select encode(convert_to($x$" + body + "$x$, 'UTF8'), 'base64')"));
  EXPECT_EQ(arrivals, 1);
}

TEST_F(AgentWebhook, takes_the_same_delivery_again_and_changes_nothing) {
  auto const body = transcription("conv_1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(deliver(body).status, 200U);
  EXPECT_EQ(stored("count(*)"), "1");
  EXPECT_EQ(arrivals, 1);
  sql(conninfo, "update inbox set status = 'applied'");
  EXPECT_EQ(deliver(body).status, 200U);
  EXPECT_EQ(stored("status"), "applied");
  EXPECT_EQ(deliver(transcription("conv_1", 6)).status, 200U);
  EXPECT_EQ(stored("count(*)"), "2");
}

TEST_F(AgentWebhook, refuses_what_is_not_signed_and_keeps_nothing_of_it) {
  auto const body = transcription("conv_1");
  base::Secret const other{"wsec_other"};
  for (auto const& signature :
       {std::string{}, std::string{"t=1"}, sign_webhook(other, body, now()), sign_webhook(secret, body + " ", now()),
        sign_webhook(secret, body, now() - 1900), sign_webhook(secret, body, now() + 400)}) {
    auto const answer = post(body, signature);
    EXPECT_EQ(answer.status, 401U) << signature;
    EXPECT_EQ(answer.body.find("conv_1"), std::string::npos);
  }
  EXPECT_EQ(stored("count(*)"), "0");
}

TEST_F(AgentWebhook, without_a_secret_refuses_everything) {
  WebhookDoor closed{services(base::Secret{})};
  net::Request request;
  request.body = transcription("conv_1");
  request.headers.add("ElevenLabs-Signature", sign_webhook(base::Secret{}, request.body, now()));
  EXPECT_EQ(run(closed.receive(request)).status, 401U);
}

TEST_F(AgentWebhook, answers_400_to_what_is_signed_and_no_event) {
  for (auto const* body : {"", "[]", "{", "{}", R"({"type": 7})"}) EXPECT_EQ(deliver(body).status, 400U) << body;
  EXPECT_EQ(stored("count(*)"), "0");
}

TEST_F(AgentWebhook, has_a_limit) {
  auto const fits = transcription("conv_1", 5, ", \"pad\": \"" + std::string(4'000'000, 'x') + "\"");
  EXPECT_EQ(deliver(fits).status, 200U);
  EXPECT_EQ(stored("length(body)"), std::to_string(fits.size()));
  test::RawClient client{public_port.port()};
  EXPECT_EQ(client
                .ask("POST /api/elevenlabs/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                     std::to_string(4 * 1024 * 1024 + 1) + "\r\n\r\n")
                .status,
            413U);
}

TEST_F(AgentWebhook, quarantines_what_names_no_conversation_and_settles_what_it_has_no_use_for) {
  EXPECT_EQ(deliver(R"({"type":"post_call_transcription","data":{"status":"done"}})").status, 200U);
  EXPECT_EQ(stored("status || ': ' || error"), "quarantined: conversation_id: missing");
  EXPECT_TRUE(stored("key").starts_with("sha256:"));
  sql(conninfo, "delete from inbox");
  EXPECT_EQ(deliver(R"({"type":"something_new","event_timestamp":1,"data":{"conversation_id":"conv_2"}})").status,
            200U);
  EXPECT_EQ(stored("status"), "applied");
  sql(conninfo, "delete from inbox");
  EXPECT_EQ(deliver(R"({"type":"post_call_audio","data":{"conversation_id":"conv_2","full_audio":"AAAA"}})").status,
            200U);
  EXPECT_EQ(stored("count(*)"), "0");
  EXPECT_EQ(arrivals, 0);
}

TEST_F(AgentWebhook, asks_for_the_delivery_again_while_the_database_is_away) {
  auto const body = transcription("conv_1");
  kill_server();
  auto const answer = deliver(body);
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(answer.headers.find("Retry-After"), "30");
  server()->revive();
  EXPECT_EQ(deliver(body).status, 200U);
  EXPECT_EQ(stored("count(*)"), "1");
}

}  // namespace
