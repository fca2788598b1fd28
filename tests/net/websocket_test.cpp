#include "gateway/net/websocket.h"

#include <gmock/gmock.h>

#include "tests/net/websocket_scene.h"

namespace {

using namespace std::chrono_literals;
using test::close_frame;
using test::close_payload;
using test::frame;
using test::ping_frame;
using test::pong_frame;
using test::text_frame;

struct WebSocket : test::WebSocketScene {};

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

}  // namespace
