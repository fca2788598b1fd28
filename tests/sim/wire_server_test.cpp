#include "loadtest/sim/crm/wire_server.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "gateway/net/http_client.h"
#include "tests/support/manual_time.h"

namespace sim::crm {
namespace {

/// A server that acts on every request and, from the second on, resets the connection instead of answering.
struct Scene {
  base::Async<> play(std::string method, std::string body) {
    for (int i = 0; i < 2; ++i) {
      net::HttpCall call;
      call.method = method;
      call.url = "http://127.0.0.1:" + std::to_string(port) + "/";
      call.body = body;
      last = co_await http.send(std::move(call));
    }
    server.stop();
    co_await server.drain(std::chrono::seconds{0});
  }
  void run(std::string method, std::string body) {
    asio::co_spawn(io, server.serve(), [](std::exception_ptr) {});
    asio::co_spawn(io, play(std::move(method), std::move(body)), [](std::exception_ptr) {});
    io.run();
  }

  asio::io_context io{1};
  test::ManualTime time;
  net::HttpClient http;
  std::vector<std::string> bodies;
  WireServer server{io.get_executor(), time, [this](net::Request const& request) {
                      bodies.push_back(request.body);
                      WireAnswer answer{net::Response::text(200, "done")};
                      if (bodies.size() > 1) answer.cut_after = 0;
                      return answer;
                    }};
  std::uint16_t port = server.listen(0);
  base::Result<net::Response> last;
};

TEST(HttpClientOnAKeptConnection, never_sends_twice_what_may_have_been_acted_on) {
  for (auto const* method : {"POST", "PATCH"}) {
    Scene scene;
    scene.run(method, "once");
    EXPECT_FALSE(scene.last.has_value()) << method;
    EXPECT_EQ(scene.bodies, (std::vector<std::string>{"once", "once"})) << method << ": one for each send()";
  }
}

TEST(HttpClientOnAKeptConnection, sends_a_body_of_any_length_whole) {
  Scene scene;
  std::string const body(300'000, 'x');
  scene.run("POST", body);
  EXPECT_EQ(scene.bodies.front().size(), body.size());
}

}  // namespace
}  // namespace sim::crm
