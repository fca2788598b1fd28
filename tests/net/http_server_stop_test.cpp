#include <future>

#include "gateway/base/bell.h"
#include "gateway/net/http_server.h"
#include "tests/net/http_server_scene.h"

namespace {

using namespace std::chrono_literals;
using test::RawClient;

struct StoppingServer : test::AnyServer {
  StoppingServer() {
    scene.router.on("GET", "/slow", [this](net::Request request) { return slow(std::move(request)); });
  }
  base::Async<net::Response> slow(net::Request) {
    base::Bell leave{scene.executor()};
    go = &leave;
    entered.set_value();
    bool const told = co_await leave.wait();
    co_return net::Response::text(told ? 200 : 503, told ? "done" : "dropped");
  }
  base::Bell* go = nullptr;
  std::promise<void> entered;
};
INSTANTIATE_TEST_SUITE_P(Over, StoppingServer, testing::Bool(), test::layer);

TEST_P(StoppingServer, refuses_new_connections_and_ends_its_serve) {
  scene.start();
  scene.stop();
  ASSERT_EQ(scene.served().wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(RawClient{scene.port()}.connected());
}

TEST_P(StoppingServer, lets_a_request_finish_and_closes_behind_it) {
  RawClient client{scene.start()};
  client.say(get("/slow") + get("/hello"));
  entered.get_future().wait();
  scene.stop();
  auto drained = scene.drain(1h);
  scene.on_server_thread([this] { go->ring(); });
  auto const answer = client.answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.headers.find("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
}

TEST_P(StoppingServer, drops_idle_connections_at_once) {
  scene.start();
  RawClient idle{scene.port()};
  EXPECT_EQ(idle.ask(get("/hello")).status, 200u);
  RawClient silent{scene.port()};
  scene.stop();
  EXPECT_EQ(scene.drain(1h).wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(silent.is_closed());
}

TEST_P(StoppingServer, cancels_a_handler_when_the_grace_is_over) {
  RawClient client{scene.start()};
  client.say(get("/slow"));
  entered.get_future().wait();
  scene.stop();
  auto drained = scene.drain(20ms);
  auto const answer = client.answer();
  EXPECT_EQ(answer.status, 503u);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
}

TEST_P(StoppingServer, drops_a_client_in_the_middle_of_its_head_when_the_grace_is_over) {
  scene.start();
  RawClient client{scene.port()};
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
  client.say("GET /hello HTT");
  scene.stop();
  EXPECT_EQ(scene.drain(10ms).wait_for(10s), std::future_status::ready);
}

TEST_P(StoppingServer, may_be_told_twice) {
  scene.start();
  scene.stop();
  scene.stop();
  EXPECT_EQ(scene.drain(0ms).wait_for(10s), std::future_status::ready);
}

}  // namespace
