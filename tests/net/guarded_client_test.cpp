#include <gtest/gtest.h>

#include "gateway/net/http_client.h"
#include "tests/net/server_scene.h"
#include "tests/net/trust.h"
#include "tests/support/story.h"

namespace {

using namespace std::chrono_literals;
using base::Fault;

/// A service in our own network, and a client that tenants may send where they like.
struct GuardedClient : testing::Test {
  GuardedClient() {
    scene.router.on("GET", "/",
                    [](net::Request) -> base::Async<net::Response> { co_return net::Response::text(200, "inside"); });
    scene.router.on("GET", "/long", [](net::Request) -> base::Async<net::Response> {
      co_return net::Response::text(200, std::string(1024 * 1024 + 1, 'x'));
    });
    scene.router.on("GET", "/moved", [](net::Request) -> base::Async<net::Response> {
      auto response = net::Response::empty(302);
      response.headers.add("Location", "http://127.0.0.1:1/");
      co_return response;
    });
  }

  base::Result<net::Response> ask(net::HttpClient& client, std::string url, std::size_t most = 10 * 1024 * 1024) {
    net::HttpCall call;
    call.url = std::move(url);
    call.timeout = 60s;
    call.max_response_bytes = most;
    base::Result<net::Response> answer;
    test::play(context, [&]() -> base::Async<> { answer = co_await client.send(call); });
    return answer;
  }
  std::string port() { return std::to_string(scene.port().port); }
  net::EgressPolicy policy(std::string const& allow) { return net::EgressPolicy::make(allow, port()).value(); }
  double connections() {
    return scene.on_server_thread(
        [this] { return scene.metrics.counter("switchboard_http_connections_total", "").Value(); });
  }

  test::ServerScene scene;
  asio::io_context context{1};
};

TEST_F(GuardedClient, does_not_even_connect_to_our_own_network) {
  scene.secure(test::trust().server, test::trust().client);
  scene.start();
  net::HttpClient client{test::trust().authority.file(), policy("")};
  // Whatever the address is written as: libcurl reads them all.
  for (auto const& host : {"127.0.0.1", "localhost", "LOCALHOST", "2130706433", "0x7f000001", "0177.0.0.1", "127.1",
                           "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "a.localhost"}) {
    auto const answer = ask(client, "https://" + std::string{host} + ":" + port() + "/");
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().fault, Fault::refused) << host;
    EXPECT_EQ(answer.error().detail.find("127"), std::string::npos);
  }
  EXPECT_EQ(connections(), 0);
}

TEST_F(GuardedClient, reaches_what_the_operator_has_allowed_over_https_and_http) {
  scene.start();
  net::HttpClient client{{}, policy("127.0.0.0/8")};
  for (auto const& host : {"127.0.0.1", "localhost"}) {
    auto const answer = ask(client, "http://" + std::string{host} + ":" + port() + "/");
    ASSERT_TRUE(answer) << host << ": " << answer.error().detail;
    EXPECT_EQ(answer->body, "inside");
  }
}

TEST_F(GuardedClient, reaches_it_over_https_as_well) {
  scene.secure(test::trust().server, test::trust().client);
  scene.start();
  net::HttpClient client{test::trust().authority.file(), policy("127.0.0.1")};
  auto const answer = ask(client, "https://localhost:" + port() + "/");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "inside");
}

TEST_F(GuardedClient, keeps_to_its_ports) {
  scene.start();
  net::HttpClient client{{}, net::EgressPolicy::make("127.0.0.0/8", "").value()};
  auto const answer = ask(client, scene.url("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::refused);
  EXPECT_EQ(connections(), 0);
}

TEST_F(GuardedClient, does_not_follow_redirects) {
  scene.start();
  net::HttpClient client{{}, policy("127.0.0.0/8")};
  auto const answer = ask(client, scene.url("/moved"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302U);
}

TEST_F(GuardedClient, takes_one_mebibyte_whatever_it_is_asked_for) {
  scene.start();
  net::HttpClient client{{}, policy("127.0.0.0/8")};
  auto const answer = ask(client, scene.url("/long"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().fault, Fault::too_large);
}

TEST_F(GuardedClient, speaks_http_only) {
  net::HttpClient client{{}, net::EgressPolicy::make("0.0.0.0/0", "22,25").value()};
  for (auto const* url : {"file:///etc/passwd", "gopher://127.0.0.1:25/_x", "dict://127.0.0.1:22/", "ftp://127.0.0.1/"})
    EXPECT_FALSE(ask(client, url)) << url;
}

}  // namespace
