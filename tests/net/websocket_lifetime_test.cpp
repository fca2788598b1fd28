#include <gmock/gmock.h>

#include "gateway/net/websocket.h"
#include "tests/net/websocket_scene.h"

namespace {

using namespace std::chrono_literals;
using test::close_frame;
using test::frame;
using test::ping_frame;
using test::pong_frame;
using test::text_frame;

struct WebSocketLifetime : test::WebSocketScene {};

TEST_F(WebSocketLifetime, hears_nothing_more_after_an_abort_from_inside_a_sink_callback) {
  here.on_message = [&](std::string_view message) {
    if (message == "stop") here.socket->abort();
  };
  with_raw_client([&]() -> base::Async<> {
    co_await peer.say(frame(text_frame, "go", true) + frame(text_frame, "stop", true) +
                      frame(text_frame, "more", true));
    co_await here.until_closed();
    bool const gone = co_await peer.is_closed();
    EXPECT_TRUE(gone);
  });
  EXPECT_EQ(here.texts, (std::vector<std::string>{"go", "stop"}));
  EXPECT_EQ(here.closed->code, 1006);
  EXPECT_FALSE(here.closed->by_peer);
}

TEST_F(WebSocketLifetime, may_send_and_drop_from_inside_a_sink_callback) {
  here.on_message = [&](std::string_view message) {
    EXPECT_TRUE(here.socket->send("dropped"));
    EXPECT_TRUE(here.socket->send("dropped"));
    here.socket->drop_queued();
    EXPECT_TRUE(here.socket->send_first(message));
  };
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (int i = 0; i < 20; ++i) {
      auto const before = there.texts.size();
      EXPECT_TRUE(there.socket->send("echo"));
      co_await there.until([&] { return there.texts.size() > before && there.texts.back() == "echo"; });
    }
  });
}

TEST_F(WebSocketLifetime, ends_the_connection_when_its_sink_throws) {
  here.on_message = [](std::string_view) { throw std::runtime_error{"sink"}; };
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(there.socket->send("x"));
    co_await here.until_closed();
    co_await there.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
}

TEST_F(WebSocketLifetime, is_cancelled_when_its_sink_cancels_the_group_it_runs_in) {
  there.on_message = [&](std::string_view) { scene.tasks.cancel_all(); };
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(here.socket->send("x"));
    co_await there.until_closed();
  });
  EXPECT_EQ(there.closed->code, 1006);
}

TEST_F(WebSocketLifetime, can_be_cancelled_while_it_reads) {
  scene.play([&]() -> base::Async<> { co_await scene.open(); });
  ASSERT_TRUE(here.closed);
  ASSERT_TRUE(there.closed);
  EXPECT_EQ(there.closed->code, 1006);
}

TEST_F(WebSocketLifetime, can_be_cancelled_before_it_runs) {
  scene.play([&]() -> base::Async<> {
    auto opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    there.have(std::move(*opened));
    EXPECT_TRUE(there.socket->send("x"));
    scene.tasks.spawn(there.run());
    scene.tasks.cancel_all();
    co_await there.until_closed();
    EXPECT_EQ(there.closed->code, 1006);
  });
}

TEST_F(WebSocketLifetime, can_be_cancelled_in_the_middle_of_a_message) {
  with_raw_client([&]() -> base::Async<> {
    auto const whole = frame(text_frame, std::string(1000, 'x'), true);
    co_await peer.say(whole.substr(0, 500));
    (void)co_await scene.time.wait(5ms);
  });
  ASSERT_TRUE(here.closed);
  EXPECT_TRUE(here.texts.empty());
}

TEST_F(WebSocketLifetime, can_be_cancelled_while_it_waits_for_the_answer_to_its_close) {
  with_raw_client([&]() -> base::Async<> {
    scene.tasks.spawn(here.socket->close(1000, "bye"));
    (void)co_await peer.hear(close_frame);
  });
  EXPECT_TRUE(here.closed);
}

TEST(WebSocketLoop, may_be_cancelled_at_every_step_of_a_conversation) {
  bool talking = true;
  std::size_t steps = 0;
  for (; talking && steps < 1000; ++steps) {
    test::SocketScene scene;
    auto const talk = [&]() -> base::Async<> {
      co_await asio::this_coro::throw_if_cancelled(false);
      auto opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
      if (!opened) {
        EXPECT_EQ(opened.error().fault, base::Fault::cancelled) << opened.error().detail;
        co_return;
      }
      scene.there.have(std::move(*opened));
      for (int i = 0; i < 3; ++i) (void)scene.there.socket->send(std::string(5000, 'x'));
      co_await scene.there.run();
    };
    scene.here.on_message = [&](std::string_view message) { (void)scene.here.socket->send(message); };
    scene.tasks.spawn(scene.server->serve());
    scene.tasks.spawn(talk());
    for (std::size_t step = 0; talking && step < steps; ++step) talking = scene.context.run_one_for(300ms) > 0;
    scene.tasks.cancel_all();
    scene.play([]() -> base::Async<> { co_return; });
    EXPECT_TRUE(scene.ended) << "cancelled after " << steps << " steps";
    if (!talking) {
      EXPECT_EQ(scene.there.texts.size(), 3u);
    }
  }
  EXPECT_GT(steps, 10u);
  EXPECT_FALSE(talking);
}

TEST_F(WebSocketLifetime, pings_a_quiet_peer_and_drops_one_that_stays_silent) {
  scene.here_settings.idle_timeout = 200ms;
  with_raw_client([&]() -> base::Async<> {
    auto const ping = co_await peer.hear(ping_frame);
    EXPECT_EQ(ping.first, ping_frame);
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
}

TEST_F(WebSocketLifetime, stays_open_as_long_as_its_pings_are_answered) {
  scene.here_settings.idle_timeout = 100ms;
  with_raw_client([&]() -> base::Async<> {
    for (int i = 0; i < 6; ++i) {
      auto const ping = co_await peer.hear(ping_frame);
      EXPECT_EQ(ping.first, ping_frame);
      co_await peer.say(frame(pong_frame, ping.payload, true));
    }
    EXPECT_FALSE(here.closed);
    EXPECT_TRUE(here.socket->send("still here"));
    auto const heard = co_await peer.hear(text_frame);
    EXPECT_EQ(heard.payload, "still here");
  });
}

TEST_F(WebSocketLifetime, drops_a_peer_that_floods_it_with_pings) {
  with_raw_client([&]() -> base::Async<> {
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += frame(ping_frame, "x", true);
    co_await peer.say(flood);
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
  EXPECT_EQ(here.closed->reason, "too many control frames");
}

TEST_F(WebSocketLifetime, may_be_destroyed_as_soon_as_run_has_returned_in_either_order) {
  for (bool const server_first : {true, false}) {
    test::SocketScene short_scene;
    auto& first = server_first ? short_scene.here : short_scene.there;
    auto& second = server_first ? short_scene.there : short_scene.here;
    short_scene.play([&]() -> base::Async<> {
      co_await short_scene.open();
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(first.socket->send(std::string(3000, 'x')));
      first.socket->abort();
      co_await first.until_closed();
      first.socket.reset();
      co_await second.until_closed();
      second.socket.reset();
    });
    EXPECT_TRUE(short_scene.ended);
  }
}

TEST_F(WebSocketLifetime, may_be_destroyed_without_ever_having_run) {
  scene.play([&]() -> base::Async<> {
    auto opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    EXPECT_TRUE((*opened)->send(std::string(3000, 'x')));
    opened->reset();
    co_await here.until_closed();
  });
}

TEST(WebSocketLoop, may_be_destroyed_at_every_step_of_a_conversation) {
  auto const tls = net::make_tls_client();
  bool talking = true;
  std::size_t steps = 0;
  for (; talking && steps < 1000; ++steps) {
    asio::io_context context{1};
    auto const serve = [&context](net::PendingUpgrade pending) -> base::Async<> {
      auto opened = co_await pending.accept({});
      if (!opened) co_return;
      test::Side side{context.get_executor()};
      side.have(std::move(*opened));
      (void)side.socket->send(std::string(20000, 'x'));
      co_await side.run();
    };
    auto const listen = [&]() -> base::Async<> {
      asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
      auto const port = acceptor.local_endpoint().port();
      auto const dial = [&context, &tls, port]() -> base::Async<> {
        auto const target = *net::parse_url("ws://127.0.0.1:" + std::to_string(port));
        auto opened = co_await net::connect_websocket(target, {}, {}, *tls, std::chrono::seconds{5});
        if (!opened) co_return;
        test::Side side{context.get_executor()};
        side.have(std::move(*opened));
        (void)side.socket->send(std::string(20000, 'y'));
        co_await side.run();
      };
      asio::co_spawn(context, dial(), [](std::exception_ptr) {});
      auto socket = co_await acceptor.async_accept(asio::use_awaitable);
      std::string text;
      co_await asio::async_read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n", asio::use_awaitable);
      net::Request request;
      request.method = "GET";
      request.target = "/";
      auto const key = text.find("Sec-WebSocket-Key: ") + 19;
      for (auto const& [name, value] :
           std::vector<std::pair<std::string, std::string>>{{"Host", "a"},
                                                            {"Connection", "Upgrade"},
                                                            {"Upgrade", "websocket"},
                                                            {"Sec-WebSocket-Version", "13"},
                                                            {"Sec-WebSocket-Key", text.substr(key, 24)}})
        request.headers.add(name, value);
      net::PendingUpgrade pending{std::move(request), net::RawStream{socket.release()}};
      co_await serve(std::move(pending));
    };
    asio::co_spawn(context, listen(), [](std::exception_ptr) {});
    // The loop is torn down in the middle, as after an exception in main; sanitizers watch.
    for (std::size_t step = 0; talking && step < steps; ++step) talking = context.run_one_for(300ms) > 0;
  }
  EXPECT_GT(steps, 10u);
  EXPECT_FALSE(talking);
}

}  // namespace
