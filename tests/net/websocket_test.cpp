#include "gateway/net/websocket.h"

#include <gmock/gmock.h>
#include <openssl/x509.h>

#include <boost/asio/ssl.hpp>
#include <future>
#include <thread>

#include "tests/net/socket_scene.h"

namespace {

using namespace std::chrono_literals;
using test::close_frame;
using test::close_payload;
using test::frame;
using test::ping_frame;
using test::pong_frame;
using test::text_frame;

struct WebSocket : testing::Test {
  test::SocketScene scene;
  test::Side& here = scene.here;    // the server's end
  test::Side& there = scene.there;  // the client's end
  test::RawPeer peer{scene.context.get_executor()};

  /// A story with a raw client already connected to `here`.
  void with_raw_client(std::function<base::Async<>()> story) {
    scene.play([this, story = std::move(story)]() -> base::Async<> {
      auto const status = co_await peer.connect(scene.port);
      EXPECT_EQ(status, 101u);
      co_await here.until([this] { return here.socket != nullptr; });
      co_await story();
    });
  }
  /// The close code a raw client receives after saying `bytes`; 0 when the connection ends without one.
  std::uint16_t code_after(std::string bytes) {
    std::uint16_t code = 0;
    with_raw_client([&]() -> base::Async<> {
      co_await peer.say(bytes);
      auto const last = co_await peer.hear(close_frame);
      code = last.close_code();
      peer.socket().close();
      co_await here.until_closed();
    });
    return code;
  }
};

TEST_F(WebSocket, carries_messages_both_ways) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(there.socket->send("from the client"));
    EXPECT_TRUE(here.socket->send("from the server"));
    EXPECT_TRUE(here.socket->send(""));
    EXPECT_TRUE(here.socket->send_binary(std::string(10, '\0')));
    co_await here.until_heard(1);
    co_await there.until([&] { return there.texts.size() == 2 && there.binary_bytes == 10; });
  });
  EXPECT_EQ(here.texts, std::vector<std::string>{"from the client"});
  EXPECT_EQ(there.texts, (std::vector<std::string>{"from the server", ""}));
}

TEST_F(WebSocket, keeps_the_order_of_many_messages_of_every_size) {
  constexpr int many = 400;
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (int i = 0; i < many; ++i) {
      EXPECT_TRUE(there.socket->send(std::to_string(i) + std::string(static_cast<std::size_t>(i * 3), 'x')));
      EXPECT_TRUE(here.socket->send(std::to_string(i)));
    }
    co_await here.until_heard(many);
    co_await there.until_heard(many);
  });
  for (int i = 0; i < many; ++i) {
    EXPECT_EQ(here.texts[static_cast<std::size_t>(i)],
              std::to_string(i) + std::string(static_cast<std::size_t>(i * 3), 'x'));
    EXPECT_EQ(there.texts[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

TEST_F(WebSocket, sends_each_message_as_one_unmasked_frame_without_compression) {
  with_raw_client([&]() -> base::Async<> {
    EXPECT_EQ(peer.head.find("Sec-WebSocket-Extensions"), std::string::npos);
    std::string const long_text(60000, 'x');
    EXPECT_TRUE(here.socket->send(long_text));
    auto const heard = co_await peer.hear();
    EXPECT_EQ(heard.first, text_frame);
    EXPECT_FALSE(heard.masked);
    EXPECT_EQ(heard.payload, long_text);
  });
}

TEST_F(WebSocket, masks_as_a_client) {
  test::Tcp::acceptor acceptor{scene.context, {asio::ip::address_v4::loopback(), 0}};
  auto const serve = [&]() -> base::Async<> { co_await peer.accept(acceptor); };
  scene.play([&]() -> base::Async<> {
    scene.tasks.spawn(serve());
    auto const target =
        *net::parse_url("ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/a/b?c=%20d");
    net::Headers headers;
    headers.add("X-Key", "value");
    auto opened = co_await net::connect_websocket(target, headers, {}, *scene.tls, 5s);
    EXPECT_TRUE(opened);
    EXPECT_TRUE(peer.head.starts_with("GET /a/b?c=%20d HTTP/1.1\r\n")) << peer.head;
    EXPECT_THAT(peer.head, testing::HasSubstr("\r\nX-Key: value\r\n"));
    EXPECT_THAT(peer.head,
                testing::HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(target.port_or_default()) + "\r\n"));
    there.have(std::move(*opened));
    scene.tasks.spawn(there.run());
    EXPECT_TRUE(there.socket->send(std::string(60000, 'x')));
    auto const heard = co_await peer.hear();
    EXPECT_TRUE(heard.masked);
    EXPECT_EQ(heard.first, text_frame);
    EXPECT_EQ(heard.payload, std::string(60000, 'x'));
    // A server must not mask (RFC 6455, 5.1).
    co_await peer.say(frame(text_frame, "hello", true));
    auto const last = co_await peer.hear(close_frame);
    EXPECT_EQ(last.close_code(), 1002);
    peer.socket().close();
    co_await there.until_closed();
    EXPECT_EQ(there.closed->code, 1002);
    EXPECT_TRUE(there.texts.empty());
  });
}

TEST_F(WebSocket, puts_fragments_together_with_control_frames_between_them) {
  with_raw_client([&]() -> base::Async<> {
    co_await peer.say(frame(0x01, "one ", true) + frame(ping_frame, "p", true) + frame(0x00, "", true) +
                      frame(0x00, "two ", true) + frame(pong_frame, "unasked", true) + frame(0x80, "three", true));
    auto const pong = co_await peer.hear(pong_frame);
    EXPECT_EQ(pong.payload, "p");
    co_await here.until_heard(1);
    co_await peer.say(frame(text_frame, "next", true));
    co_await here.until_heard(2);
  });
  EXPECT_EQ(here.texts, (std::vector<std::string>{"one two three", "next"}));
}

TEST_F(WebSocket, understands_frames_that_come_byte_by_byte) {
  with_raw_client([&]() -> base::Async<> {
    for (char const byte : frame(text_frame, "héllo", true) + frame(text_frame, std::string(200, 'x'), true))
      co_await peer.say(std::string{byte});
    co_await here.until_heard(2);
  });
  EXPECT_EQ(here.texts[0], "héllo");
}

TEST_F(WebSocket, accepts_a_message_of_the_limit_and_ends_with_1009_beyond) {
  scene.here_settings.max_message_bytes = 1000;
  with_raw_client([&]() -> base::Async<> {
    co_await peer.say(frame(text_frame, std::string(1000, 'x'), true));
    co_await here.until_heard(1);
    co_await peer.say(frame(text_frame, std::string(1001, 'x'), true));
    auto const last = co_await peer.hear(close_frame);
    EXPECT_EQ(last.close_code(), 1009);
    peer.socket().close();
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1009);
  EXPECT_FALSE(here.closed->by_peer);
  EXPECT_EQ(here.texts.size(), 1u);
}

TEST_F(WebSocket, ends_with_1009_when_fragments_add_up_to_more_than_the_limit) {
  scene.here_settings.max_message_bytes = 1000;
  EXPECT_EQ(code_after(frame(0x01, std::string(600, 'x'), true) + frame(0x80, std::string(600, 'x'), true)), 1009);
  EXPECT_EQ(here.closed->code, 1009);
}

TEST_F(WebSocket, ends_with_1009_before_it_reads_an_absurd_length) {
  std::string const absurd = std::string("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10) + "k3Y!";
  EXPECT_EQ(code_after(absurd), 1009);
}

struct Violation {
  char const* name;
  std::string bytes;
  std::uint16_t code;
};

struct Violations : WebSocket, testing::WithParamInterface<Violation> {};

TEST_P(Violations, end_with_their_close_code) {
  EXPECT_EQ(code_after(GetParam().bytes), GetParam().code);
  EXPECT_EQ(here.closed->code, GetParam().code);
  EXPECT_FALSE(here.closed->by_peer);
  EXPECT_TRUE(here.texts.empty());
}

INSTANTIATE_TEST_SUITE_P(
    WebSocket, Violations,
    testing::Values(
        Violation{"unmasked", frame(text_frame, "hello", false), 1002},
        Violation{"rsv1", frame(0xC1, "hello", true), 1002}, Violation{"rsv2", frame(0xA1, "hello", true), 1002},
        Violation{"rsv3", frame(0x91, "hello", true), 1002},
        Violation{"reserved_opcode", frame(0x83, "hello", true), 1002},
        Violation{"reserved_control_opcode", frame(0x8B, "hello", true), 1002},
        Violation{"long_ping", frame(ping_frame, std::string(126, 'x'), true), 1002},
        Violation{"fragmented_ping", frame(0x09, "x", true), 1002},
        Violation{"continuation_of_nothing", frame(0x80, "x", true), 1002},
        Violation{"new_message_inside_another", frame(0x01, "a", true) + frame(text_frame, "b", true), 1002},
        Violation{"bad_utf8", frame(text_frame, "\xC3\x28", true), 1007},
        Violation{"surrogate", frame(text_frame, "\xED\xA0\x80", true), 1007},
        Violation{"overlong", frame(text_frame, "\xC0\xAF", true), 1007},
        Violation{"half_a_character", frame(text_frame, "a\xE2\x82", true), 1007},
        Violation{"bad_utf8_over_fragments", frame(0x01, "\xE2", true) + frame(0x80, "\x28\xA1", true), 1007},
        Violation{"close_with_one_byte", frame(close_frame, "x", true), 1002},
        Violation{"close_with_bad_code", frame(close_frame, close_payload(1005), true), 1002},
        Violation{"length_not_minimal", std::string("\x81\xFE\x00\x05", 4) + "k3Y!" + "\x03\x56\x35\x4d\x04", 1002}),
    [](auto const& info) { return std::string{info.param.name}; });

TEST_F(WebSocket, ends_in_bounded_time_when_a_violating_peer_does_not_close) {
  scene.here_settings.idle_timeout = 200ms;
  with_raw_client([&]() -> base::Async<> {
    auto const before = scene.time.now();
    co_await peer.say(frame(text_frame, "hello", false));
    co_await here.until_closed();
    EXPECT_LT(scene.time.now() - before, 5s);
  });
  EXPECT_FALSE(here.closed->by_peer);
}

TEST_F(WebSocket, tells_the_close_code_and_reason_of_the_peer) {
  with_raw_client([&]() -> base::Async<> {
    co_await peer.say(frame(close_frame, close_payload(4321, "bye"), true));
    auto const echo = co_await peer.hear(close_frame);
    EXPECT_EQ(echo.close_code(), 4321);
    peer.socket().close();
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 4321);
  EXPECT_EQ(here.closed->reason, "bye");
  EXPECT_TRUE(here.closed->by_peer);
}

TEST_F(WebSocket, calls_a_close_without_a_code_1005_and_a_lost_connection_1006) {
  with_raw_client([&]() -> base::Async<> {
    co_await peer.say(frame(close_frame, "", true));
    (void)co_await peer.hear(close_frame);
    peer.socket().close();
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1005);
  test::SocketScene other;
  test::RawPeer lost{other.context.get_executor()};
  other.play([&]() -> base::Async<> {
    (void)co_await lost.connect(other.port);
    co_await other.here.until([&] { return other.here.socket != nullptr; });
    lost.socket().close();
    co_await other.here.until_closed();
  });
  EXPECT_EQ(other.here.closed->code, 1006);
}

TEST_F(WebSocket, closes_from_either_side_with_code_and_reason) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    co_await there.socket->close(4000, "enough");
    co_await here.until_closed();
    co_await there.until_closed();
  });
  EXPECT_EQ(here.closed->code, 4000);
  EXPECT_EQ(here.closed->reason, "enough");
  EXPECT_TRUE(here.closed->by_peer);
  EXPECT_EQ(there.closed->code, 4000);
  EXPECT_FALSE(there.closed->by_peer);
  EXPECT_FALSE(there.socket->send("too late"));
  EXPECT_EQ(there.socket->send("too late").error().fault, base::Fault::unavailable);
}

TEST_F(WebSocket, closes_from_the_server_after_everything_that_was_queued) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(here.socket->send(std::string(2000, 'x')));
    co_await here.socket->close(1000, "");
    co_await there.until_closed();
    co_await here.until_closed();
  });
  EXPECT_EQ(there.texts.size(), 50u);
  EXPECT_EQ(there.closed->code, 1000);
  EXPECT_EQ(here.closed->code, 1000);
  EXPECT_FALSE(here.closed->by_peer);
}

TEST_F(WebSocket, survives_both_sides_closing_at_once_and_twice) {
  scene.play([&]() -> base::Async<> {
    using namespace asio::experimental::awaitable_operators;
    co_await scene.open();
    co_await (here.socket->close(4001, "a") && there.socket->close(4002, "b") && here.socket->close(4003, "c"));
    co_await here.until_closed();
    co_await there.until_closed();
    co_await here.socket->close(4004, "d");
    here.socket->abort();
  });
}

TEST_F(WebSocket, cuts_a_long_close_reason_between_characters) {
  with_raw_client([&]() -> base::Async<> {
    std::string reason(122, 'x');
    reason += "é and more";
    scene.tasks.spawn(here.socket->close(1000, reason));
    auto const last = co_await peer.hear(close_frame);
    EXPECT_EQ(last.payload.substr(2), std::string(122, 'x'));
    co_await peer.say(frame(close_frame, close_payload(1000), true));
    peer.socket().close();
    co_await here.until_closed();
  });
}

TEST_F(WebSocket, drops_a_peer_that_does_not_answer_the_close) {
  with_raw_client([&]() -> base::Async<> {
    auto const before = scene.time.now();
    co_await here.socket->close(1000, "bye");
    co_await here.until_closed();
    EXPECT_LT(scene.time.now() - before, 5s);
  });
  EXPECT_FALSE(here.closed->by_peer);
}

TEST_F(WebSocket, refuses_to_queue_more_than_its_bound) {
  scene.here_settings.max_queued_bytes = 1000;
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(here.socket->send(std::string(600, 'a')));
    EXPECT_EQ(here.socket->queued_bytes(), 600u);
    auto const refused = here.socket->send(std::string(401, 'b'));
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, base::Fault::too_large);
    EXPECT_TRUE(here.socket->send(std::string(400, 'c')));
    EXPECT_FALSE(here.socket->send_first("d"));
    co_await there.until_heard(2);
    EXPECT_EQ(here.socket->queued_bytes(), 0u);
    EXPECT_TRUE(here.socket->send(std::string(1000, 'e')));
    co_await there.until_heard(3);
  });
  EXPECT_EQ(there.texts[1], std::string(400, 'c'));
}

TEST_F(WebSocket, send_first_overtakes_what_waits_but_not_what_is_being_written) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (auto const* text : {"1", "2", "3"}) EXPECT_TRUE(here.socket->send(text));
    EXPECT_TRUE(here.socket->send_first("urgent"));
    co_await there.until_heard(4);
  });
  EXPECT_EQ(there.texts, (std::vector<std::string>{"1", "urgent", "2", "3"}));
}

TEST_F(WebSocket, drop_queued_forgets_what_waits) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (auto const* text : {"one", "two", "three"}) EXPECT_TRUE(here.socket->send(text));
    here.socket->drop_queued();
    EXPECT_EQ(here.socket->queued_bytes(), 3u);
    EXPECT_TRUE(here.socket->send("after"));
    co_await there.until_heard(2);
    EXPECT_EQ(here.socket->queued_bytes(), 0u);
  });
  EXPECT_EQ(there.texts, (std::vector<std::string>{"one", "after"}));
}

/// Fills the connection until the peer's silence shows in a waiting queue.
struct StuckWriter : WebSocket {
  StuckWriter() { scene.here_settings.max_queued_bytes = 64 * 1024 * 1024; }
  void stuff() {
    std::string const much(8 * 1024 * 1024, 'x');
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(here.socket->send(much));
  }
};

TEST_F(StuckWriter, is_dropped_at_the_next_send_after_the_write_timeout) {
  scene.here_settings.write_timeout = 50ms;
  with_raw_client([&]() -> base::Async<> {
    stuff();
    base::Result<> sent;
    for (auto const limit = scene.time.now() + 10s; sent && scene.time.now() < limit;) {
      (void)co_await scene.time.wait(5ms);
      sent = here.socket->send("are you there");
    }
    EXPECT_FALSE(sent);
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
  EXPECT_EQ(here.closed->reason, "peer stopped reading");
}

TEST_F(StuckWriter, is_dropped_when_the_peer_only_talks) {
  scene.here_settings.write_timeout = 50ms;
  with_raw_client([&]() -> base::Async<> {
    stuff();
    for (auto const limit = scene.time.now() + 10s; !here.closed && scene.time.now() < limit;) {
      (void)co_await scene.time.wait(5ms);
      bool const said = co_await peer.say(frame(text_frame, "I talk and do not listen", true));
      if (!said) break;
    }
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->reason, "peer stopped reading");
}

TEST_F(StuckWriter, can_be_aborted) {
  with_raw_client([&]() -> base::Async<> {
    stuff();
    here.socket->abort();
    here.socket->abort();
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
  EXPECT_EQ(here.socket->queued_bytes(), 0u);
}

TEST_F(StuckWriter, is_closed_within_the_time_of_a_close) {
  with_raw_client([&]() -> base::Async<> {
    stuff();
    auto const before = scene.time.now();
    co_await here.socket->close(1000, "bye");
    co_await here.until_closed();
    EXPECT_LT(scene.time.now() - before, 5s);
  });
}

TEST_F(StuckWriter, can_be_cancelled) {
  with_raw_client([&]() -> base::Async<> {
    stuff();
    co_return;
  });
  ASSERT_TRUE(here.closed);
  EXPECT_EQ(here.closed->code, 1006);
}

TEST_F(StuckWriter, can_be_cancelled_while_a_pong_waits_behind_the_write) {
  with_raw_client([&]() -> base::Async<> {
    stuff();
    co_await peer.say(frame(ping_frame, "p", true));
    (void)co_await scene.time.wait(5ms);
  });
  EXPECT_TRUE(here.closed);
}

TEST_F(StuckWriter, can_be_cancelled_while_it_closes) {
  with_raw_client([&]() -> base::Async<> {
    stuff();
    scene.tasks.spawn(here.socket->close(1000, "bye"));
    co_await asio::post(scene.context, base::quietly);
  });
  EXPECT_TRUE(here.closed);
}

TEST_F(WebSocket, hears_nothing_more_after_an_abort_from_inside_a_sink_callback) {
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

TEST_F(WebSocket, may_send_and_drop_from_inside_a_sink_callback) {
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

TEST_F(WebSocket, ends_the_connection_when_its_sink_throws) {
  here.on_message = [](std::string_view) { throw std::runtime_error{"sink"}; };
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(there.socket->send("x"));
    co_await here.until_closed();
    co_await there.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
}

TEST_F(WebSocket, is_cancelled_when_its_sink_cancels_the_group_it_runs_in) {
  there.on_message = [&](std::string_view) { scene.tasks.cancel_all(); };
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    EXPECT_TRUE(here.socket->send("x"));
    co_await there.until_closed();
  });
  EXPECT_EQ(there.closed->code, 1006);
}

TEST_F(WebSocket, can_be_cancelled_while_it_reads) {
  scene.play([&]() -> base::Async<> { co_await scene.open(); });
  ASSERT_TRUE(here.closed);
  ASSERT_TRUE(there.closed);
  EXPECT_EQ(there.closed->code, 1006);
}

TEST_F(WebSocket, can_be_cancelled_before_it_runs) {
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

TEST_F(WebSocket, can_be_cancelled_in_the_middle_of_a_message) {
  with_raw_client([&]() -> base::Async<> {
    auto const whole = frame(text_frame, std::string(1000, 'x'), true);
    co_await peer.say(whole.substr(0, 500));
    (void)co_await scene.time.wait(5ms);
  });
  ASSERT_TRUE(here.closed);
  EXPECT_TRUE(here.texts.empty());
}

TEST_F(WebSocket, can_be_cancelled_while_it_waits_for_the_answer_to_its_close) {
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
  EXPECT_GT(steps, 30u);
  EXPECT_FALSE(talking);
}

TEST_F(WebSocket, pings_a_quiet_peer_and_drops_one_that_stays_silent) {
  scene.here_settings.idle_timeout = 200ms;
  with_raw_client([&]() -> base::Async<> {
    auto const ping = co_await peer.hear(ping_frame);
    EXPECT_EQ(ping.first, ping_frame);
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
}

TEST_F(WebSocket, stays_open_as_long_as_its_pings_are_answered) {
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

TEST_F(WebSocket, drops_a_peer_that_floods_it_with_pings) {
  with_raw_client([&]() -> base::Async<> {
    std::string flood;
    for (int i = 0; i < 1000; ++i) flood += frame(ping_frame, "x", true);
    co_await peer.say(flood);
    co_await here.until_closed();
  });
  EXPECT_EQ(here.closed->code, 1006);
  EXPECT_EQ(here.closed->reason, "too many control frames");
}

TEST_F(WebSocket, does_not_offer_or_take_compression) {
  with_raw_client([&]() -> base::Async<> { co_return; });
  test::SocketScene other;
  test::RawPeer offering{other.context.get_executor()};
  other.play([&]() -> base::Async<> {
    (void)co_await offering.connect(other.port, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    EXPECT_EQ(offering.head.find("permessage"), std::string::npos);
    co_await other.here.until([&] { return other.here.socket != nullptr; });
  });
}

TEST_F(WebSocket, echoes_the_chosen_subprotocol) {
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    EXPECT_EQ(pending.request().headers.find("Sec-WebSocket-Protocol"), "a, b");
    auto opened = co_await pending.accept({}, "b");
    EXPECT_TRUE(opened);
    here.have(std::move(*opened));
    co_await here.run();
  };
  scene.play([&]() -> base::Async<> {
    auto const status = co_await peer.connect(scene.port, "Sec-WebSocket-Protocol: a, b\r\n");
    EXPECT_EQ(status, 101u);
    EXPECT_THAT(peer.head, testing::HasSubstr("Sec-WebSocket-Protocol: b\r\n"));
  });
}

TEST_F(WebSocket, tells_a_refused_client_the_status_only) {
  scene.on_upgrade = [](net::PendingUpgrade pending) -> base::Async<> {
    co_await pending.refuse(net::error_response(403, "FORBIDDEN", "the secret reason"));
  };
  scene.play([&]() -> base::Async<> {
    auto const opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::refused);
    EXPECT_EQ(opened.error().detail, "upgrade answered with status 403");
  });
}

TEST_F(WebSocket, closes_an_upgrade_that_nobody_takes) {
  scene.on_upgrade = [](net::PendingUpgrade) -> base::Async<> { co_return; };
  scene.play([&]() -> base::Async<> {
    auto const status = co_await peer.connect(scene.port);
    EXPECT_EQ(status, 0u);
  });
}

TEST_F(WebSocket, answers_a_plain_request_on_its_path_with_400) {
  bool accepted = true;
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    auto const opened = co_await pending.accept({});
    accepted = opened.has_value();
  };
  scene.play([&]() -> base::Async<> {
    (void)co_await peer.connect(scene.port, "");
    test::RawPeer plain{scene.context.get_executor()};
    (void)co_await plain.socket().async_connect({asio::ip::address_v4::loopback(), scene.port}, base::quietly);
    co_await plain.say("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string answer(64, ' ');
    (void)co_await plain.socket().async_read_some(asio::buffer(answer), base::quietly);
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 400 "));
  });
  EXPECT_FALSE(accepted);
}

TEST_F(WebSocket, can_be_accepted_on_another_thread) {
  asio::io_context core{1};
  auto const work = asio::make_work_guard(core);
  std::thread thread{[&] { core.run(); }};
  test::Side far{core.get_executor()};
  std::thread::id ran_on;
  far.on_message = [&](std::string_view message) {
    ran_on = std::this_thread::get_id();
    EXPECT_TRUE(far.socket->send(message));
  };
  std::promise<void> far_ended;
  scene.on_upgrade = [&](net::PendingUpgrade pending) -> base::Async<> {
    auto const carried = std::make_shared<net::PendingUpgrade>(std::move(pending));
    auto const there_on = [&far, carried]() -> base::Async<> {
      auto opened = co_await carried->accept({});
      EXPECT_TRUE(opened);
      far.have(std::move(*opened));
      co_await far.run();
    };
    auto const started = std::make_shared<decltype(there_on)>(there_on);
    asio::co_spawn(core, (*started)(), [&far_ended, started](std::exception_ptr) { far_ended.set_value(); });
    co_return;
  };
  scene.play([&]() -> base::Async<> {
    auto opened = co_await net::connect_websocket(scene.url(), {}, {}, *scene.tls, 5s);
    EXPECT_TRUE(opened);
    there.have(std::move(*opened));
    scene.tasks.spawn(there.run());
    EXPECT_TRUE(there.socket->send("over there"));
    co_await there.until_heard(1);
    co_await there.socket->close(1000, "");
    co_await there.until_closed();
  });
  EXPECT_EQ(far_ended.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(ran_on, thread.get_id());
  core.stop();
  thread.join();
  EXPECT_EQ(far.closed->code, 1000);
}

TEST_F(WebSocket, says_unavailable_when_nobody_listens) {
  scene.play([&]() -> base::Async<> {
    auto const opened = co_await net::connect_websocket(*net::parse_url("ws://127.0.0.1:1/"), {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

TEST_F(WebSocket, says_unavailable_for_a_name_that_does_not_exist) {
  scene.play([&]() -> base::Async<> {
    auto const opened =
        co_await net::connect_websocket(*net::parse_url("ws://no-such-host.invalid/"), {}, {}, *scene.tls, 15s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

TEST_F(WebSocket, gives_up_on_a_server_that_accepts_and_says_nothing) {
  test::Tcp::acceptor mute{scene.context, {asio::ip::address_v4::loopback(), 0}};
  scene.play([&]() -> base::Async<> {
    for (auto const* scheme : {"ws", "wss"}) {
      auto const target =
          *net::parse_url(std::string{scheme} + "://127.0.0.1:" + std::to_string(mute.local_endpoint().port()));
      auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 50ms);
      EXPECT_FALSE(opened);
      EXPECT_EQ(opened.error().fault, base::Fault::timed_out) << scheme;
    }
  });
}

TEST_F(WebSocket, says_protocol_to_a_server_that_speaks_something_else) {
  test::Tcp::acceptor acceptor{scene.context, {asio::ip::address_v4::loopback(), 0}};
  auto const serve = [&]() -> base::Async<> {
    (void)co_await acceptor.async_accept(peer.socket(), base::quietly);
    co_await peer.say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        "wrong\r\n\r\n");
  };
  scene.play([&]() -> base::Async<> {
    scene.tasks.spawn(serve());
    auto const target = *net::parse_url("ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_TRUE(opened.error().fault == base::Fault::protocol || opened.error().fault == base::Fault::refused)
        << opened.error().detail;
  });
}

TEST_F(WebSocket, says_unavailable_when_tls_meets_a_plain_server) {
  scene.play([&]() -> base::Async<> {
    auto const target = scene.url().with_scheme("wss");
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
  });
}

/// A key and a certificate for 127.0.0.1 that nobody has signed but itself.
asio::ssl::context self_signed() {
  asio::ssl::context context{asio::ssl::context::tls_server};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> const certificate{X509_new(), &X509_free};
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  auto* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  SSL_CTX_use_certificate(context.native_handle(), certificate.get());
  SSL_CTX_use_PrivateKey(context.native_handle(), key.get());
  return context;
}

TEST_F(WebSocket, does_not_trust_a_certificate_that_signed_itself) {
  test::Tcp::acceptor acceptor{scene.context, {asio::ip::address_v4::loopback(), 0}};
  auto server_context = self_signed();
  asio::ssl::stream<test::Tcp::socket> server{scene.context, server_context};
  boost::system::error_code server_saw;
  auto const serve = [&]() -> base::Async<> {
    (void)co_await acceptor.async_accept(server.next_layer(), base::quietly);
    auto [error] = co_await server.async_handshake(asio::ssl::stream_base::server, base::quietly);
    if (!error) {
      std::string request(1, ' ');
      auto [read_error, count] = co_await server.async_read_some(asio::buffer(request), base::quietly);
      error = read_error;
    }
    server_saw = error;
  };
  scene.play([&]() -> base::Async<> {
    scene.tasks.spawn(serve());
    auto const target = *net::parse_url("wss://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
    auto const opened = co_await net::connect_websocket(target, {}, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::unavailable);
    EXPECT_THAT(opened.error().detail, testing::HasSubstr("TLS: certificate verify failed"));
  });
  EXPECT_TRUE(server_saw) << "a request was sent in spite of the certificate";
}

TEST_F(WebSocket, does_not_send_a_header_that_would_break_out_of_its_line) {
  scene.play([&]() -> base::Async<> {
    net::Headers headers;
    headers.add("X", "a\r\nHost: evil");
    auto const opened = co_await net::connect_websocket(scene.url(), headers, {}, *scene.tls, 5s);
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, base::Fault::protocol);
  });
}

TEST_F(WebSocket, may_be_destroyed_as_soon_as_run_has_returned_in_either_order) {
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

TEST_F(WebSocket, may_be_destroyed_without_ever_having_run) {
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
      net::PendingUpgrade pending{std::move(request), socket.release()};
      co_await serve(std::move(pending));
    };
    asio::co_spawn(context, listen(), [](std::exception_ptr) {});
    // The loop is torn down in the middle, as after an exception in main; sanitizers watch.
    for (std::size_t step = 0; talking && step < steps; ++step) talking = context.run_one_for(300ms) > 0;
  }
  EXPECT_GT(steps, 30u);
  EXPECT_FALSE(talking);
}

}  // namespace
