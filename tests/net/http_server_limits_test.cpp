#include <list>

#include "gateway/base/bell.h"
#include "gateway/net/http_server.h"
#include "tests/net/http_server_scene.h"

namespace {

using namespace std::chrono_literals;
using test::RawClient;

struct ServerLimits : test::AnyServer {};
INSTANTIATE_TEST_SUITE_P(Over, ServerLimits, testing::Bool(), test::layer);

TEST_P(ServerLimits, limits_the_head) {
  scene.start();
  auto const ask = [&](std::string const& bytes) {
    RawClient client{scene.port()};
    auto answer = client.ask(bytes);
    EXPECT_TRUE(answer.status == 200 || client.is_closed());
    return answer;
  };
  std::string many;
  for (int i = 0; i < 99; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(ask(get("/hello", many)).status, 200u);
  expect_error(ask(get("/hello", many + "X-more: y\r\n")), 431, "HEADERS_TOO_LARGE");
  EXPECT_EQ(ask(get("/hello", "X: " + std::string(16000, 'x') + "\r\n")).status, 200u);
  expect_error(ask(get("/hello", "X: " + std::string(17000, 'x') + "\r\n")), 431, "HEADERS_TOO_LARGE");
  expect_error(ask(get("/hello", "X: " + std::string(200000, 'x') + "\r\n")), 431, "HEADERS_TOO_LARGE");
  auto const path = [](std::size_t bytes) { return "/files/" + std::string(bytes - 7, 'x'); };
  EXPECT_EQ(ask(get(path(8192))).status, 200u);
  expect_error(ask(get(path(8193))), 414, "URI_TOO_LONG");
  expect_error(ask(get(path(100000))), 414, "URI_TOO_LONG");
}

TEST_P(ServerLimits, limits_the_body_by_its_route) {
  scene.start();
  auto const ask = [&](std::string const& bytes) {
    RawClient client{scene.port()};
    client.say(bytes);
    return client.answer();
  };
  auto const chunked = [](std::string_view path, std::size_t bytes) {
    std::string text = "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < bytes; i += 100) text += "64\r\n" + std::string(100, 'x') + "\r\n";
    return text + "0\r\n\r\n";
  };
  EXPECT_EQ(ask(post("/echo", std::string(1000, 'x'))).body.size(), 1000u);
  expect_error(ask(post("/echo", std::string(1001, 'x'))), 413, "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(ask(chunked("/echo", 1000)).body.size(), 1000u);
  expect_error(ask(chunked("/echo", 1100)), 413, "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(ask(post("/big", std::string(3000000, 'x'))).body.size(), 3000000u);
  EXPECT_EQ(ask(chunked("/big", 2000000)).body.size(), 2000000u);
  // The client gets to read the answer although it was still sending.
  expect_error(ask(post("/echo", std::string(600000, 'x'))), 413, "PAYLOAD_TOO_LARGE");
  expect_error(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"), 413,
               "PAYLOAD_TOO_LARGE");
}

TEST_P(ServerLimits, asks_for_the_body_when_the_client_waits_to_be_asked) {
  RawClient client{scene.start()};
  client.say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client.answer().status, 100u);
  client.say("hello");
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_P(ServerLimits, does_not_ask_for_a_body_that_it_would_refuse) {
  RawClient client{scene.start()};
  auto const answer =
      client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  expect_error(answer, 413, "PAYLOAD_TOO_LARGE");
  EXPECT_TRUE(client.is_closed());
}

TEST_P(ServerLimits, refuses_other_expectations) {
  RawClient client{scene.start()};
  expect_error(client.ask(get("/hello", "Expect: the worst\r\n")), 417, "EXPECTATION_FAILED");
}

TEST_P(ServerLimits, answers_a_slow_head_and_a_slow_body_with_408) {
  scene.start({.header_timeout = 100ms, .body_timeout = 100ms});
  RawClient slow_head{scene.port()};
  expect_error(slow_head.ask("GET /hello HTTP/1.1\r\nHost:"), 408, "REQUEST_TIMEOUT");
  EXPECT_TRUE(slow_head.is_closed());
  RawClient slow_body{scene.port()};
  expect_error(slow_body.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"), 408, "REQUEST_TIMEOUT");
  EXPECT_TRUE(slow_body.is_closed());
}

TEST_P(ServerLimits, holds_the_second_request_to_the_same_header_time) {
  scene.start({.header_timeout = 100ms, .keep_alive = 1h});
  RawClient client{scene.port()};
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
  expect_error(client.ask("GET /hello HTT"), 408, "REQUEST_TIMEOUT");
}

TEST_P(ServerLimits, drops_a_silent_connection_without_a_word) {
  scene.start({.header_timeout = 50ms, .keep_alive = 50ms});
  RawClient silent{scene.port()};
  EXPECT_TRUE(silent.is_closed());
  RawClient once{scene.port()};
  EXPECT_EQ(once.ask(get("/hello")).status, 200u);
  EXPECT_TRUE(once.is_closed());
}

TEST_P(ServerLimits, limits_the_requests_of_a_connection) {
  scene.start({.requests_per_connection = 3});
  RawClient client{scene.port()};
  client.say(get("/hello") + get("/hello") + get("/hello") + get("/hello"));
  EXPECT_NE(client.answer().headers.find("Connection"), "close");
  EXPECT_NE(client.answer().headers.find("Connection"), "close");
  EXPECT_EQ(client.answer().headers.find("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(hellos, 3);
}

TEST_P(ServerLimits, refuses_connections_beyond_the_limit_and_counts_them) {
  scene.start({.connections = 2});
  RawClient first{scene.port()};
  RawClient second{scene.port()};
  EXPECT_EQ(first.ask(get("/hello")).status, 200u);
  EXPECT_EQ(second.ask(get("/hello")).status, 200u);
  RawClient third{scene.port()};
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(counted("switchboard_http_connections_total"), 2);
  EXPECT_EQ(counted("switchboard_http_connections_refused_total"), 1);
  EXPECT_EQ(first.ask(get("/hello")).status, 200u);
}

TEST_P(ServerLimits, drops_the_connection_that_has_been_silent_longest_when_there_are_too_many) {
  scene.start({.unproven = {.guests = 2, .guests_of_address = 2}});
  RawClient silent{scene.port()};
  RawClient slow{scene.port()};
  slow.say("GET /hello HTTP/1.1\r\nHost");
  RawClient newcomer{scene.port()};
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(newcomer.ask(get("/hello")).status, 200u);
  EXPECT_EQ(slow.ask(": a\r\n\r\n").status, 200u);
}

TEST_P(ServerLimits, never_drops_a_connection_for_newer_ones_once_it_had_a_good_answer) {
  scene.start({.unproven = {.guests = 2, .guests_of_address = 2}});
  RawClient proven{scene.port()};
  EXPECT_EQ(proven.ask(get("/hello")).status, 200u);
  EXPECT_EQ(proven.ask(get("/nothing")).status, 404u);
  std::list<RawClient> silent;
  for (int i = 0; i < 10; ++i) silent.emplace_back(scene.port());
  EXPECT_TRUE(silent.front().is_closed());
  EXPECT_EQ(proven.ask(get("/hello")).status, 200u);
}

TEST_P(ServerLimits, takes_requests_that_are_refused_for_no_proof) {
  scene.router.on("GET", "/secret", [](net::Request) -> base::Async<net::Response> {
    co_return net::error_response(403, "FORBIDDEN", "no");
  });
  scene.start({.unproven = {.guests = 2, .guests_of_address = 2}});
  RawClient forger{scene.port()};
  RawClient lost{scene.port()};
  EXPECT_EQ(forger.ask(get("/secret")).status, 403u);
  EXPECT_EQ(lost.ask(get("/nothing")).status, 404u);
  RawClient one{scene.port()};
  RawClient two{scene.port()};
  EXPECT_EQ(two.ask(get("/hello")).status, 200u);
  EXPECT_TRUE(forger.is_closed());
}

TEST_P(ServerLimits, does_not_drop_who_waits_for_an_answer) {
  base::Bell answers{scene.executor()};
  std::promise<void> asked;
  scene.router.on("GET", "/slow", [&](net::Request) -> base::Async<net::Response> {
    asked.set_value();
    (void)co_await answers.wait();
    co_return net::Response::text(200, "at last");
  });
  scene.start({.unproven = {.guests = 1, .guests_of_address = 1}});
  RawClient patient{scene.port()};
  patient.say(get("/slow"));
  asked.get_future().wait();
  std::list<RawClient> silent;
  for (int i = 0; i < 5; ++i) silent.emplace_back(scene.port());
  EXPECT_TRUE(silent.front().is_closed());
  scene.on_server_thread([&] { answers.ring(); });
  EXPECT_EQ(patient.answer().body, "at last");
}

}  // namespace
