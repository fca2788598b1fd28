#include "gateway/net/http_server.h"

#include "tests/net/http_server_scene.h"

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::RawClient;
using testing::HasSubstr;

struct Server : test::AnyServer {};
INSTANTIATE_TEST_SUITE_P(Over, Server, testing::Bool(), test::layer);

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
