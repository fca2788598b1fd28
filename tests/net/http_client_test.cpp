#include "gateway/net/http_client.h"

#include <gmock/gmock.h>

#include <boost/asio/steady_timer.hpp>

#include "gateway/base/bell.h"
#include "tests/net/server_scene.h"
#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Client : testing::Test {
  Client() {
    auto& router = scene.router;
    for (auto const* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
      router.on(method, "/echo", [](net::Request request) { return echo(std::move(request)); }, 1024 * 1024);
    router.on("GET", "/status/*", [](net::Request request) -> base::Async<net::Response> {
      co_return net::Response::text(static_cast<unsigned>(std::stoi(request.target.substr(8))), "told so");
    });
    router.on("GET", "/moved", [this](net::Request) -> base::Async<net::Response> {
      auto response = net::Response::empty(302);
      response.headers.add("Location", scene.url("/echo"));
      co_return response;
    });
    router.on("GET", "/long", [](net::Request) -> base::Async<net::Response> {
      co_return net::Response::text(200, std::string(5000, 'x'));
    });
    router.on("GET", "/never", [this](net::Request) { return never(); });
    scene.start();
  }

  static base::Async<net::Response> echo(net::Request request) {
    auto response = net::Response::text(200, request.method + " " + request.body);
    for (auto const& [name, value] : request.headers) response.headers.add("Echo-" + name, value);
    co_return response;
  }
  base::Async<net::Response> never() {
    asio::steady_timer forever{scene.executor(), asio::steady_timer::time_point::max()};
    (void)co_await forever.async_wait(base::quietly);
    co_return net::Response::text(200, "late");
  }

  base::Result<net::Response> ask(net::HttpCall call) {
    base::Result<net::Response> answer;
    test::play(context, [&]() -> base::Async<> { answer = co_await client.send(call); });
    return answer;
  }
  net::HttpCall to(std::string const& path, std::string method = "GET") {
    net::HttpCall call;
    call.method = std::move(method);
    call.url = scene.url(path);
    return call;
  }

  test::ServerScene scene;
  asio::io_context context{1};
  net::HttpClient client;
};

TEST_F(Client, brings_any_status_as_an_answer) {
  for (unsigned const status : {200u, 201u, 302u, 400u, 404u, 429u, 500u, 503u}) {
    auto const answer = ask(to("/status/" + std::to_string(status)));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, "told so");
    EXPECT_EQ(answer->headers.find("content-type"), "text/plain; charset=utf-8");
  }
}

TEST_F(Client, sends_method_headers_and_body_and_nothing_of_its_own) {
  auto call = to("/echo", "POST");
  call.headers.add("X-Trace", "abc");
  call.headers.add("X-Empty", "");
  call.body = std::string("a\0b", 3);
  auto const answer = ask(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::string("POST a\0b", 8));
  EXPECT_EQ(answer->headers.find("Echo-X-Trace"), "abc");
  EXPECT_TRUE(answer->headers.has("Echo-X-Empty"));
  EXPECT_FALSE(answer->headers.has("Echo-Content-Type"));
  EXPECT_FALSE(answer->headers.has("Echo-Expect"));
  EXPECT_FALSE(answer->headers.has("Echo-Authorization"));
}

TEST_F(Client, knows_every_method) {
  for (auto const* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    auto const answer = ask(to("/echo", method));
    ASSERT_TRUE(answer) << method;
    EXPECT_EQ(answer->body, std::string{method} + " ");
  }
  auto const head = ask(to("/long", "HEAD"));
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(head->headers.find("Content-Length"), "5000");
  EXPECT_TRUE(head->body.empty());
}

TEST_F(Client, sends_basic_auth) {
  auto call = to("/echo");
  call.basic_auth.emplace("Aladdin", base::Secret{"open sesame"});
  auto const answer = ask(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.find("Echo-Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617
}

TEST_F(Client, does_not_follow_redirects) {
  auto const answer = ask(to("/moved"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302u);
  EXPECT_EQ(answer->headers.find("Location"), scene.url("/echo"));
}

TEST_F(Client, ignores_a_proxy_in_the_environment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  auto const answer = ask(to("/status/200"));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200u);
}

TEST_F(Client, gives_up_when_the_time_is_up) {
  auto call = to("/never");
  call.timeout = 50ms;
  auto const answer = ask(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, base::Fault::timed_out);
}

TEST_F(Client, refuses_an_answer_that_is_too_large) {
  auto call = to("/long");
  call.max_response_bytes = 4999;
  auto const answer = ask(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, base::Fault::too_large);
  call.max_response_bytes = 5000;
  EXPECT_TRUE(ask(call));
}

TEST_F(Client, says_unavailable_when_nobody_listens) {
  auto call = to("/");
  call.url = "http://127.0.0.1:1/";
  auto const answer = ask(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, base::Fault::unavailable);
}

TEST_F(Client, speaks_http_only) {
  for (auto const* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "nonsense", ""}) {
    auto call = to("/");
    call.url = url;
    auto const answer = ask(call);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().fault, base::Fault::unavailable) << url;
  }
}

TEST_F(Client, refuses_to_send_what_would_break_out_of_its_line) {
  auto header = to("/echo");
  header.headers.add("X", "a\r\nHost: evil");
  auto name = to("/echo");
  name.headers.add("X: y\r\nZ", "a");
  auto const method = to("/echo", "GET / HTTP/1.1\r\nX:");
  for (auto const& call : {header, name, method}) {
    auto const answer = ask(call);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, base::Fault::protocol);
  }
}

/// Accepts one connection on its own thread, says `bytes` after the request has begun and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string bytes) : acceptor_{context_, {asio::ip::address_v4::loopback(), 0}} {
    thread_ = std::thread{[this, bytes = std::move(bytes)] {
      asio::ip::tcp::socket socket{context_};
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      std::array<char, 4096> request;
      if (!error) socket.read_some(asio::buffer(request), error);
      if (!error) asio::write(socket, asio::buffer(bytes), error);
    }};
  }
  ~OneAnswer() { thread_.join(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/"; }

 private:
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

TEST_F(Client, says_unavailable_when_the_server_closes_in_the_middle) {
  for (auto const* bytes : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf"}) {
    OneAnswer server{bytes};
    auto call = to("/");
    call.url = server.url();
    auto const answer = ask(call);
    ASSERT_FALSE(answer) << bytes;
    EXPECT_EQ(answer.error().fault, base::Fault::unavailable) << bytes;
  }
}

TEST_F(Client, refuses_a_flood_of_unannounced_length) {
  OneAnswer server{"HTTP/1.1 200 OK\r\n\r\n" + std::string(100000, 'x')};
  auto call = to("/");
  call.url = server.url();
  call.max_response_bytes = 50000;
  auto const answer = ask(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, base::Fault::too_large);
}

TEST_F(Client, keeps_only_the_final_answers_headers) {
  OneAnswer server{
      "HTTP/1.1 103 Early: hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 All: good\r\nX-Late: 1\r\nContent-Length: "
      "0\r\n\r\n"};
  auto call = to("/");
  call.url = server.url();
  auto const answer = ask(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200u);
  EXPECT_TRUE(answer->headers.has("X-Late"));
  EXPECT_FALSE(answer->headers.has("X-Early"));
  EXPECT_EQ(std::distance(answer->headers.begin(), answer->headers.end()), 2);
}

TEST_F(Client, carries_a_hundred_requests_at_once) {
  base::TaskGroup tasks{context.get_executor()};
  int right = 0;
  auto const one = [&](int number) -> base::Async<> {
    auto call = to("/echo", "POST");
    call.body = std::to_string(number);
    auto const answer = co_await client.send(call);
    if (answer && answer->body == "POST " + std::to_string(number)) ++right;
  };
  for (int i = 0; i < 100; ++i) tasks.spawn(one(i));
  base::SystemTime time;
  test::play(context, [&]() -> base::Async<> { co_await tasks.drain(time, 15s); });
  EXPECT_EQ(right, 100);
}

TEST_F(Client, abandons_a_request_whose_coroutine_is_cancelled) {
  base::TaskGroup tasks{context.get_executor()};
  base::SystemTime time;
  std::vector<base::Fault> faults;
  auto const one = [&]() -> base::Async<> {
    auto const answer = co_await client.send(to("/never"));
    faults.push_back(answer ? base::Fault::conflict : answer.error().fault);
    auto const again = co_await client.send(to("/status/200"));
    faults.push_back(again ? base::Fault::conflict : again.error().fault);
  };
  tasks.spawn(one());
  test::settle(context);
  test::play(context, [&]() -> base::Async<> { co_await tasks.drain(time, 0s); });
  EXPECT_EQ(faults, (std::vector{base::Fault::cancelled, base::Fault::cancelled}));
  EXPECT_TRUE(ask(to("/status/200")));
}

TEST_F(Client, may_lose_its_callers_event_loop_while_a_request_is_under_way) {
  {
    asio::io_context short_lived{1};
    asio::co_spawn(short_lived, client.send(to("/never")), [](std::exception_ptr, auto) {});
    test::settle(short_lived);
  }
  EXPECT_TRUE(ask(to("/status/200")));
}

TEST_F(Client, ends_what_is_under_way_when_it_is_destroyed) {
  std::optional<net::HttpClient> short_lived{std::in_place};
  std::optional<base::Result<net::Response>> answer;
  base::Bell asked{context.get_executor()};
  auto const one = [&]() -> base::Async<> { answer = co_await short_lived->send(to("/never")); };
  asio::co_spawn(context, one(), [&](std::exception_ptr) { asked.ring(); });
  test::settle(context);
  short_lived.reset();
  test::play(context, [&]() -> base::Async<> { (void)co_await asked.wait(); });
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().fault, base::Fault::cancelled);
}

}  // namespace
