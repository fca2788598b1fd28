#include <gmock/gmock.h>
#include <malloc.h>

#include "gateway/net/http_client.h"
#include "gateway/net/http_server.h"
#include "gateway/net/websocket.h"
#include "tests/net/server_scene.h"
#include "tests/net/socket_scene.h"
#include "tests/net/trust.h"

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::RawClient;

constexpr auto ask = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"sv;
constexpr auto begun_hello = "\x16\x03\x01\x02\x00\x01"sv;

struct HttpsServer : testing::Test {
  HttpsServer() {
    scene.secure(test::trust().server, test::trust().client);
    scene.router.on("GET", "/hello",
                    [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(200, "hello"); });
  }
  /// A client that speaks plainly.
  RawClient plain() const { return RawClient{scene.port().port}; }
  double failures() { return scene.metrics.counter("switchboard_tls_handshakes_failed_total", "").Value(); }

  test::ServerScene scene;
};

TEST_F(HttpsServer, tells_a_plain_request_that_it_speaks_https) {
  scene.start();
  auto client = plain();
  auto const answer = client.ask(ask);
  EXPECT_EQ(answer.status, 400u);
  EXPECT_THAT(answer.body, testing::HasSubstr("this port speaks https"));
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(failures(), 1);
}

TEST_F(HttpsServer, closes_on_what_is_neither_tls_nor_http) {
  scene.start();
  auto client = plain();
  EXPECT_EQ(client.ask("\x00\x01\x02\x03\x04\x05\x06\x07"sv).status, 0u);
  auto no_hello = plain();
  EXPECT_EQ(no_hello.ask("\x16\x03\x01\x00\x04\x01\x00\x00\x00"sv).status, 0u);
  auto huge = plain();
  EXPECT_EQ(huge.ask("\x16\x03\x01\xff\xff"sv).status, 0u);
  auto empty = plain();
  EXPECT_EQ(empty.ask("\x16\x03\x01\x00\x00"sv).status, 0u);
  EXPECT_EQ(failures(), 4);
}

TEST_F(HttpsServer, closes_when_a_client_ends_in_the_middle_of_its_hello) {
  scene.start({.header_timeout = 1h});
  for (auto const said : {""sv, begun_hello.substr(0, 1), begun_hello}) {
    auto client = plain();
    client.say(said);
    client.say_no_more();
    EXPECT_TRUE(client.is_closed()) << said.size();
  }
}

TEST_F(HttpsServer, takes_a_hello_that_comes_byte_by_byte) {
  scene.start();
  auto slow = plain();
  for (auto const byte : begun_hello) slow.say({&byte, 1});
  for (int i = 0; i < 511; ++i) EXPECT_TRUE(slow.say("\0"sv));
  (void)slow.answer();  // an alert: it was read, and means nothing
  EXPECT_EQ(failures(), 1);
}

TEST_F(HttpsServer, gives_a_handshake_and_the_first_request_one_header_timeout) {
  scene.start({.header_timeout = 100ms, .keep_alive = 1h});
  auto silent = plain();
  auto half = plain();
  half.say(begun_hello);
  RawClient shaken{scene.port()};
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_TRUE(shaken.is_closed());
}

TEST_F(HttpsServer, does_not_let_a_client_draw_its_handshake_out) {
  scene.start({.header_timeout = 100ms});
  auto client = plain();
  client.say(begun_hello);
  int more = 0;
  while (!client.is_answered_within(10ms) && more < 500 && client.say("\0"sv)) ++more;
  EXPECT_LT(more, 500);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpsServer, counts_handshakes_with_connections) {
  scene.start({.connections = 2});
  auto silent = plain();
  auto half = plain();
  half.say(begun_hello);
  // Seen by the server once it has refused the third.
  RawClient third{scene.port()};
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(scene.metrics.counter("switchboard_http_connections_refused_total", "").Value(), 1);
}

TEST_F(HttpsServer, drops_those_who_have_said_nothing_when_it_stops) {
  scene.start();
  auto silent = plain();
  RawClient other{scene.port()};
  EXPECT_EQ(other.ask(ask).status, 200u);
  scene.stop();
  EXPECT_EQ(scene.drain(1h).wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(silent.is_closed());
}

TEST_F(HttpsServer, drops_handshakes_when_the_grace_is_over) {
  scene.start();
  auto half = plain();
  half.say(begun_hello);
  RawClient other{scene.port()};
  EXPECT_EQ(other.ask(ask).status, 200u);
  scene.stop();
  EXPECT_EQ(scene.drain(10ms).wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(half.is_closed());
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST_F(HttpsServer, sets_little_aside_for_those_who_have_proven_nothing) {
  scene.start();
  constexpr std::size_t many = 200;
  // What a hundredth of a megabyte more or less in the rest of the process cannot hide.
  auto const bytes_each = [&](std::string_view said) {
    RawClient before{scene.port()};
    EXPECT_EQ(before.ask(ask).status, 200u);
    auto const used = ::mallinfo2().uordblks;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < many; ++i) {
      clients.push_back(std::make_unique<RawClient>(scene.port().port));
      clients.back()->say(said);
    }
    RawClient last{scene.port()};  // when it is answered, those before it are known
    EXPECT_EQ(last.ask(ask).status, 200u);
    return (::mallinfo2().uordblks - used) / many;
  };
  EXPECT_LE(bytes_each(""), 8 * 1024U);
  EXPECT_LE(bytes_each(begun_hello), 8 * 1024U);
}
#endif

TEST_F(HttpsServer, is_trusted_by_the_http_client_that_knows_its_authority_and_by_no_other) {
  scene.start();
  net::HttpClient knowing{test::trust().authority.file()};
  net::HttpClient stranger;
  asio::io_context context{1};
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> {
    net::HttpCall call;
    call.url = scene.url("/hello");
    auto const answer = co_await knowing.send(call);
    EXPECT_TRUE(answer) << answer.error().detail;
    if (answer) {
      EXPECT_EQ(answer->body, "hello");
    }
    auto const refused = co_await stranger.send(call);
    EXPECT_FALSE(refused);
  }));
}

TEST_F(HttpsServer, hands_a_websocket_over_with_its_tls) {
  scene.router.on_upgrade("/ws", [](net::PendingUpgrade pending) -> base::Async<> {
    auto opened = co_await pending.accept({});
    EXPECT_TRUE(opened);
    if (!opened) co_return;
    test::Side side{co_await asio::this_coro::executor};
    side.have(std::move(*opened));
    side.on_message = [&side](std::string_view text) { EXPECT_TRUE(side.socket->send(text)); };
    co_await side.run();
  });
  scene.start();
  asio::io_context context{1};
  base::SystemTime time;
  base::TaskGroup tasks{context.get_executor()};
  test::Side there{context.get_executor()};
  EXPECT_TRUE(test::play(context, [&]() -> base::Async<> {
    auto const url = *net::parse_url("wss://localhost:" + std::to_string(scene.port()) + "/ws");
    auto opened = co_await net::connect_websocket(url, {}, {}, test::trust().client, 5s);
    EXPECT_TRUE(opened) << opened.error().detail;
    there.have(std::move(*opened));
    tasks.spawn(there.run());
    std::string const big(60'000, 'b');
    EXPECT_TRUE(there.socket->send("over TLS"));
    EXPECT_TRUE(there.socket->send(big));
    co_await there.until_heard(2);
    EXPECT_EQ(there.texts[0], "over TLS");
    EXPECT_TRUE(there.texts[1] == big);
    co_await there.socket->close(1000, "");
    co_await there.until_closed();
    co_await tasks.drain(time, 0ms);
  }));
}

}  // namespace
