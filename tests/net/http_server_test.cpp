#include "gateway/net/http_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <list>

#include "gateway/base/bell.h"
#include "tests/net/server_scene.h"
#include "tests/net/trust.h"

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::RawClient;
using testing::HasSubstr;

struct Server : testing::TestWithParam<bool> {
  Server() {
    if (GetParam()) scene.secure(test::trust().server, test::trust().client);
    scene.router.on("GET", "/hello", [this](net::Request request) { return hello(std::move(request)); });
    scene.router.on("POST", "/echo", [](net::Request request) { return echo(std::move(request)); }, 1000);
    scene.router.on("POST", "/big", [](net::Request request) { return echo(std::move(request)); }, 4 * 1024 * 1024);
    scene.router.on("GET", "/files/*", [](net::Request request) { return target(std::move(request)); });
    scene.router.on("PUT", "/hello", [](net::Request request) { return echo(std::move(request)); });
  }

  base::Async<net::Response> hello(net::Request) {
    ++hellos;
    co_return net::Response::text(200, "hello");
  }
  static base::Async<net::Response> echo(net::Request request) { co_return net::Response::text(200, request.body); }
  static base::Async<net::Response> target(net::Request request) { co_return net::Response::text(200, request.target); }

  static std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{more} + "\r\n";
  }
  static std::string post(std::string_view path, std::string_view body) {
    return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string{body};
  }
  void expect_error(test::Answer const& answer, unsigned status, std::string_view code) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.find("Content-Type"), "application/json");
    for (auto const* part : {"{\"error\":\"", "\"details\":\"", "\"timestamp\":\""})
      EXPECT_THAT(answer.body, HasSubstr(part));
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"" + std::string{code} + "\""));
  }
  double counted(std::string const& name) { return scene.metrics.counter(name, "").Value(); }

  std::atomic<int> hellos = 0;
  test::ServerScene scene;
};

std::string layer(testing::TestParamInfo<bool> const& info) {
  return info.param ? "tls" : "plain";
}
INSTANTIATE_TEST_SUITE_P(Over, Server, testing::Bool(), layer);

TEST_P(Server, answers_a_request) {
  RawClient client{scene.start()};
  auto const answer = client.ask(get("/hello"));
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.headers.find("Content-Type"), "text/plain; charset=utf-8");
}

TEST_P(Server, gives_the_handler_the_request_byte_for_byte) {
  net::Request seen;
  scene.router.on("POST", "/look", [&](net::Request request) -> base::Async<net::Response> {
    seen = std::move(request);
    co_return net::Response::empty(204);
  });
  RawClient client{scene.start()};
  auto const answer = client.ask(
      "POST /look?a=%41&b=/?#x HTTP/1.1\r\nHost: a:1\r\nX-Two:  b \t\r\nx-two: c\r\nX-Empty:\r\n"
      "Content-Length: 3\r\n\r\na\0b"sv);
  EXPECT_EQ(answer.status, 204u);
  EXPECT_FALSE(answer.headers.has("Content-Length"));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/look?a=%41&b=/?#x");
  EXPECT_EQ(seen.path(), "/look");
  EXPECT_EQ(seen.headers.find("X-Two"), "b");
  EXPECT_EQ(std::ranges::count_if(seen.headers, [](auto const& f) { return f.first == "x-two" && f.second == "c"; }),
            1);
  EXPECT_TRUE(seen.headers.has("x-empty"));
  EXPECT_EQ(seen.body, std::string("a\0b", 3));
  EXPECT_EQ(seen.peer_address, "127.0.0.1");
}

TEST_P(Server, answers_pipelined_requests_in_order) {
  RawClient client{scene.start()};
  client.say(get("/files/1") + post("/echo", "two") + get("/files/3") + get("/nowhere") + get("/files/5"));
  EXPECT_EQ(client.answer().body, "/files/1");
  EXPECT_EQ(client.answer().body, "two");
  EXPECT_EQ(client.answer().body, "/files/3");
  EXPECT_EQ(client.answer().status, 404u);
  EXPECT_EQ(client.answer().body, "/files/5");
}

TEST_P(Server, understands_a_request_that_comes_byte_by_byte) {
  RawClient client{scene.start()};
  for (char const byte : post("/echo", "slowly")) client.say({&byte, 1});
  EXPECT_EQ(client.answer().body, "slowly");
}

TEST_P(Server, answers_head_without_a_body_and_stays_in_step) {
  RawClient client{scene.start()};
  client.say("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
  auto const head = client.answer(true);
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.headers.find("Content-Length"), "5");
  EXPECT_EQ(client.answer(true).status, 404u);
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_P(Server, tells_an_unknown_path_from_an_unknown_method) {
  RawClient client{scene.start()};
  expect_error(client.ask(get("/nowhere")), 404, "NOT_FOUND");
  auto const wrong_method = client.ask("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  expect_error(wrong_method, 405, "METHOD_NOT_ALLOWED");
  EXPECT_EQ(wrong_method.headers.find("Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
}

TEST_P(Server, closes_after_an_error_that_leaves_a_body_unread) {
  RawClient client{scene.start()};
  expect_error(client.ask(post("/nowhere", get("/hello"))), 404, "NOT_FOUND");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(hellos, 0);
}

TEST_P(Server, refuses_what_two_http_implementations_could_read_in_two_ways) {
  std::string const nul(1, '\0');
  std::vector<std::pair<std::string, std::string>> const table{
      {"length and chunked",
       "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked and length",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
      {"two different lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {"two equal lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
      {"a list of lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc"},
      {"a signed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"},
      {"a negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc"},
      {"a hexadecimal length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"},
      {"an empty length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc"},
      {"an absurd length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nabc"},
      {"an unknown coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" + get("/hello")},
      {"chunked not last",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n" + get("/hello")},
      {"chunked twice",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked behind a tab",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0b"
       "chunked\r\n\r\n0\r\n\r\n"},
      {"xchunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + get("/hello")},
      {"chunked in 1.0", "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"bare LF everywhere", "GET /hello HTTP/1.1\nHost: a\n\n"},
      {"bare LF in the fields", "GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
      {"bare LF at the end", "GET /hello HTTP/1.1\r\nHost: a\r\n\n"},
      {"bare CR in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n"},
      {"a folded line", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"},
      {"a line folded with a tab", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"},
      {"a fold before any field", "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"space before the colon", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"},
      {"tab before the colon", "GET /hello HTTP/1.1\r\nHost\t: a\r\n\r\n"},
      {"no colon", "GET /hello HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
      {"no name", "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
      {"NUL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a" + nul + "b\r\n\r\n"},
      {"NUL in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX" + nul + ": a\r\n\r\n"},
      {"NUL in the target", "GET /hel" + nul + "lo HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"DEL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"},
      {"8-bit in the target", "GET /h\xE9llo HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"lower-case method", "get /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"mixed-case method", "Get /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"endless method", std::string(100, 'G') + " /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space in the target", "GET /hello x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space at the end", "GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"a target with another host", "GET http://evil/hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CONNECT", "CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP 0.9", "GET /hello\r\n\r\n"},
      {"HTTP 1.2", "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"HTTP 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"lower-case version", "GET /hello http/1.1\r\nHost: a\r\n\r\n"},
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"an empty line first", "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7)},
      {"bad chunk size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"},
      {"negative chunk size",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n"},
      {"0x chunk size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"},
      {"overflowing chunk size",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n"},
      {"chunk longer than it said",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
      {"chunk with bare LF", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
      {"endless chunk extension", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=" +
                                      std::string(90000, 'x') + "\r\nabc\r\n0\r\n\r\n"},
      {"flood of chunk extensions",
       [] {
         std::string text = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
         for (int i = 0; i < 100; ++i) text += "1;extension=0123456789\r\na\r\n";
         return text + "0\r\n\r\n";
       }()},
  };
  scene.start();
  for (auto const& [name, bytes] : table) {
    SCOPED_TRACE(name);
    RawClient client{scene.port()};
    client.say(bytes);
    expect_error(client.answer(), 400, "BAD_REQUEST");
    EXPECT_TRUE(client.is_closed());
  }
  EXPECT_EQ(hellos, 0);
}

TEST_P(Server, accepts_the_unusual_that_is_still_clear) {
  std::vector<std::pair<std::string, std::string>> const table{
      {"chunked",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n003\r\nllo\r\n0\r\n\r\n"},
      {"chunked with a small extension",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"},
      {"chunked with a trailer",
       "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"},
      {"length with zeros in front", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello"},
      {"8-bit value",
       "GET /hello HTTP/1.1\r\nHost: a\r\nX: gr\xC3\xBC\xC3\x9F"
       "e\r\n\r\n"},
      {"HTTP 1.0 without Host", "GET /hello HTTP/1.0\r\n\r\n"},
  };
  scene.start();
  for (auto const& [name, bytes] : table) {
    SCOPED_TRACE(name);
    RawClient client{scene.port()};
    auto const answer = client.ask(bytes);
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.body, "hello");
  }
}

TEST_P(Server, closes_after_http_1_0_and_after_connection_close) {
  scene.start();
  for (auto const& request :
       {std::string{"GET /hello HTTP/1.0\r\n\r\n"}, get("/hello", "Connection: foo, Close\r\n")}) {
    RawClient client{scene.port()};
    auto const answer = client.ask(request);
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.headers.find("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_P(Server, limits_the_head) {
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

TEST_P(Server, limits_the_body_by_its_route) {
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

TEST_P(Server, asks_for_the_body_when_the_client_waits_to_be_asked) {
  RawClient client{scene.start()};
  client.say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client.answer().status, 100u);
  client.say("hello");
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_P(Server, does_not_ask_for_a_body_that_it_would_refuse) {
  RawClient client{scene.start()};
  auto const answer =
      client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  expect_error(answer, 413, "PAYLOAD_TOO_LARGE");
  EXPECT_TRUE(client.is_closed());
}

TEST_P(Server, refuses_other_expectations) {
  RawClient client{scene.start()};
  expect_error(client.ask(get("/hello", "Expect: the worst\r\n")), 417, "EXPECTATION_FAILED");
}

TEST_P(Server, answers_a_slow_head_and_a_slow_body_with_408) {
  scene.start({.header_timeout = 100ms, .body_timeout = 100ms});
  RawClient slow_head{scene.port()};
  expect_error(slow_head.ask("GET /hello HTTP/1.1\r\nHost:"), 408, "REQUEST_TIMEOUT");
  EXPECT_TRUE(slow_head.is_closed());
  RawClient slow_body{scene.port()};
  expect_error(slow_body.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"), 408, "REQUEST_TIMEOUT");
  EXPECT_TRUE(slow_body.is_closed());
}

TEST_P(Server, holds_the_second_request_to_the_same_header_time) {
  scene.start({.header_timeout = 100ms, .keep_alive = 1h});
  RawClient client{scene.port()};
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
  expect_error(client.ask("GET /hello HTT"), 408, "REQUEST_TIMEOUT");
}

TEST_P(Server, drops_a_silent_connection_without_a_word) {
  scene.start({.header_timeout = 50ms, .keep_alive = 50ms});
  RawClient silent{scene.port()};
  EXPECT_TRUE(silent.is_closed());
  RawClient once{scene.port()};
  EXPECT_EQ(once.ask(get("/hello")).status, 200u);
  EXPECT_TRUE(once.is_closed());
}

TEST_P(Server, limits_the_requests_of_a_connection) {
  scene.start({.requests_per_connection = 3});
  RawClient client{scene.port()};
  client.say(get("/hello") + get("/hello") + get("/hello") + get("/hello"));
  EXPECT_NE(client.answer().headers.find("Connection"), "close");
  EXPECT_NE(client.answer().headers.find("Connection"), "close");
  EXPECT_EQ(client.answer().headers.find("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(hellos, 3);
}

TEST_P(Server, refuses_connections_beyond_the_limit_and_counts_them) {
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

TEST_P(Server, drops_the_connection_that_has_been_silent_longest_when_there_are_too_many) {
  scene.start({.unproven = {.guests = 2, .guests_of_address = 2}});
  RawClient silent{scene.port()};
  RawClient slow{scene.port()};
  slow.say("GET /hello HTTP/1.1\r\nHost");
  RawClient newcomer{scene.port()};
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(newcomer.ask(get("/hello")).status, 200u);
  EXPECT_EQ(slow.ask(": a\r\n\r\n").status, 200u);
}

TEST_P(Server, never_drops_a_connection_for_newer_ones_once_it_had_a_good_answer) {
  scene.start({.unproven = {.guests = 2, .guests_of_address = 2}});
  RawClient proven{scene.port()};
  EXPECT_EQ(proven.ask(get("/hello")).status, 200u);
  EXPECT_EQ(proven.ask(get("/nothing")).status, 404u);
  std::list<RawClient> silent;
  for (int i = 0; i < 10; ++i) silent.emplace_back(scene.port());
  EXPECT_TRUE(silent.front().is_closed());
  EXPECT_EQ(proven.ask(get("/hello")).status, 200u);
}

TEST_P(Server, takes_requests_that_are_refused_for_no_proof) {
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

TEST_P(Server, does_not_drop_who_waits_for_an_answer) {
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

TEST_P(Server, survives_clients_that_leave_at_every_moment) {
  scene.start();
  auto const request = post("/echo", "hello");
  for (std::size_t sent = 0; sent <= request.size(); ++sent) {
    RawClient client{scene.port()};
    client.say(std::string_view{request}.substr(0, sent));
  }
  RawClient last{scene.port()};
  EXPECT_EQ(last.ask(get("/hello")).status, 200u);
}

TEST_P(Server, ends_the_connection_without_a_word_when_a_handler_says_so) {
  scene.router.on("GET", "/none", [](net::Request) -> base::Async<net::Response> { co_return net::Response::none(); });
  RawClient client{scene.start()};
  EXPECT_EQ(client.ask(get("/none")).status, 0u);
  EXPECT_TRUE(client.is_closed());
}

TEST_P(Server, answers_500_without_detail_when_a_handler_throws_and_lives_on) {
  scene.router.on("GET", "/throws", [](net::Request) -> base::Async<net::Response> {
    throw std::runtime_error{"password is hunter2"};
    co_return net::Response::empty(204);
  });
  scene.router.on("GET", "/throws-a-number", [](net::Request) -> base::Async<net::Response> {
    throw 7;
    co_return net::Response::empty(204);
  });
  scene.router.on("GET", "/throws-at-once", [](net::Request) -> base::Async<net::Response> { throw std::bad_alloc{}; });
  RawClient client{scene.start()};
  for (auto const* path : {"/throws", "/throws-a-number", "/throws-at-once"}) {
    auto const answer = client.ask(get(path));
    expect_error(answer, 500, "INTERNAL_ERROR");
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(client.ask(get("/hello")).status, 200u);
}

TEST_P(Server, does_not_let_a_handler_split_the_answer) {
  scene.router.on("GET", "/split", [](net::Request) -> base::Async<net::Response> {
    auto response = net::Response::text(200, "body");
    response.headers.add("Location", "/a\r\nSet-Cookie: evil=1");
    co_return response;
  });
  scene.router.on("GET", "/odd",
                  [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(42, "x"); });
  RawClient client{scene.start()};
  auto const answer = client.ask(get("/split"));
  expect_error(answer, 500, "INTERNAL_ERROR");
  EXPECT_FALSE(answer.headers.has("Set-Cookie"));
  expect_error(client.ask(get("/odd")), 500, "INTERNAL_ERROR");
}

TEST_P(Server, never_sends_a_body_where_none_belongs) {
  scene.router.on("GET", "/none",
                  [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(204, "smuggled"); });
  RawClient client{scene.start()};
  client.say(get("/none") + get("/hello"));
  EXPECT_EQ(client.answer().status, 204u);
  EXPECT_EQ(client.answer().body, "hello");
}

TEST_P(Server, refuses_data_that_comes_before_an_upgrade_is_answered) {
  std::atomic<int> upgrades = 0;
  scene.router.on_upgrade("/ws", [&](net::PendingUpgrade pending) -> base::Async<> {
    ++upgrades;
    co_await pending.refuse(net::error_response(403, "FORBIDDEN", "no"));
  });
  scene.start();
  std::string const ask =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  RawClient early{scene.port()};
  expect_error(early.ask(get("/ws", ask) + "\x81\x80"), 400, "BAD_REQUEST");
  RawClient with_body{scene.port()};
  expect_error(with_body.ask(get("/ws", ask + "Content-Length: 2\r\n") + "xx"), 400, "BAD_REQUEST");
  RawClient head{scene.port()};
  head.say("HEAD /ws HTTP/1.1\r\nHost: a\r\n" + ask + "\r\n");
  EXPECT_EQ(head.answer(true).status, 405u);
  EXPECT_EQ(upgrades, 0);
  RawClient proper{scene.port()};
  expect_error(proper.ask(get("/ws", ask)), 403, "FORBIDDEN");
  EXPECT_TRUE(proper.is_closed());
  EXPECT_EQ(upgrades, 1);
}

struct SlowServer : Server {
  SlowServer() {
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

using StoppingServer = SlowServer;
INSTANTIATE_TEST_SUITE_P(Over, StoppingServer, testing::Bool(), layer);

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

TEST_P(Server, refuses_to_listen_where_it_cannot) {
  asio::io_context context;
  base::SystemTime time;
  base::Metrics metrics;
  net::Router router;
  net::HttpServer server{context.get_executor(), time, base::Log::silent(), metrics, router};
  EXPECT_THROW(server.listen("not an address", 0), boost::system::system_error);
  EXPECT_THROW(server.listen("192.0.2.1", 0), boost::system::system_error);
}

TEST_P(Server, shares_its_port_with_the_other_cores) {
  auto const port = scene.start();
  asio::io_context context;
  base::SystemTime time;
  base::Metrics metrics;
  net::HttpServer second{context.get_executor(), time, base::Log::silent(), metrics, scene.router};
  EXPECT_EQ(second.listen("127.0.0.1", port), port);
  second.stop();
}

}  // namespace
