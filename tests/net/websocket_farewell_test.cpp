// Closing while the peer talks, on two threads: whoever comes when, nobody waits for the other.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <random>
#include <thread>

#include "gateway/base/task_group.h"
#include "gateway/net/http_server.h"
#include "gateway/net/websocket.h"

namespace {

using namespace std::chrono_literals;

struct Echo final : net::WebSocketSink {
  explicit Echo(net::WebSocket& s) : socket{s} {}
  void on_text(std::string_view text) override { (void)socket.send(text); }
  net::WebSocket& socket;
};

struct Listener final : net::WebSocketSink {
  void on_text(std::string_view) override {}
};

base::Async<> echo(net::PendingUpgrade upgrade) {
  auto socket = co_await upgrade.accept({});
  if (!socket) co_return;
  Echo sink{**socket};
  (void)co_await (*socket)->run(sink);
}

base::Async<> listen(net::WebSocket& socket) {
  Listener sink;
  (void)co_await socket.run(sink);
}

/// One client after the other talks, listens and leaves in the middle of it. Returns the longest stay.
base::Async<base::TimeSource::Clock::duration> come_and_go(std::uint16_t port, unsigned seed, int times) {
  using namespace asio::experimental::awaitable_operators;
  base::SystemTime time;
  std::mt19937 dice{seed};
  auto const tls = net::make_tls_client();
  base::TimeSource::Clock::duration longest{};
  auto const leave = [&](net::WebSocket& socket) -> base::Async<> {
    for (auto messages = 1 + dice() % 20; messages > 0; --messages) {
      (void)socket.send(std::string(200 + dice() % 800, 'x'));
      if (dice() % 2 == 0) continue;
      auto const waited = co_await time.wait(std::chrono::microseconds{dice() % 300});
      (void)waited;
    }
    co_await socket.close(1000, "goodbye");
  };
  net::Url const url{.scheme = "ws", .host = "127.0.0.1", .port = port, .path = "/"};
  for (int i = 0; i < times; ++i) {
    auto opened = co_await net::connect_websocket(url, {}, {}, *tls, 5s);
    EXPECT_TRUE(opened);
    if (!opened) continue;
    auto const begun = time.now();
    co_await (listen(**opened) && leave(**opened));
    longest = std::max(longest, time.now() - begun);
  }
  co_return longest;
}

TEST(WebSocketFarewell, takes_no_time_while_the_peer_is_talking) {
  base::SystemTime time;
  base::Metrics metrics;
  net::Router router;
  router.on_upgrade("/", echo);
  asio::io_context there{1};
  net::HttpServer server{there.get_executor(), time, base::Log::silent(), metrics, router};
  auto const port = server.listen("127.0.0.1", 0);
  std::thread peer{[&] {
    asio::co_spawn(there, server.serve(), [](std::exception_ptr) {});
    there.run();
  }};
  asio::io_context here{1};
  std::vector<std::future<base::TimeSource::Clock::duration>> visitors;
  for (unsigned seed = 1; seed <= 20; ++seed)
    visitors.push_back(asio::co_spawn(here, come_and_go(port, seed, 75), asio::use_future));
  here.run_for(60s);
  for (auto& visitor : visitors) {
    bool const is_gone = visitor.wait_for(0s) == std::future_status::ready;
    EXPECT_TRUE(is_gone) << "somebody never got away";
    if (is_gone) EXPECT_LT(visitor.get(), 900ms) << "somebody was only dropped when the patience of a close was over";
  }
  auto const end = [&]() -> base::Async<> {
    server.stop();
    co_await server.drain(100ms);
  };
  asio::co_spawn(there, end(), asio::use_future).get();
  there.stop();
  peer.join();
}

}  // namespace
