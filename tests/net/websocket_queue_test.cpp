#include <gmock/gmock.h>

#include "gateway/net/websocket.h"
#include "tests/net/websocket_scene.h"

namespace {

using namespace std::chrono_literals;
using test::frame;
using test::ping_frame;
using test::text_frame;

struct WebSocketQueue : test::WebSocketScene {};

TEST_F(WebSocketQueue, refuses_to_queue_more_than_its_bound) {
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

/// A message too long for the kernel's buffers, of which the first part has gone out.
struct HalfWritten : WebSocketQueue {
  std::string const big = std::string(8 * 1024 * 1024, 'x');
  HalfWritten() {
    scene.here_settings.max_queued_bytes = 16 * 1024 * 1024;
    scene.there_settings.max_message_bytes = big.size();
  }
  base::Async<> begin_to_send_it() {
    co_await scene.open();
    EXPECT_TRUE(here.socket->send(big));
    co_await asio::post(scene.context, base::quietly);
  }
};

TEST_F(WebSocketQueue, send_first_overtakes_what_waits) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (auto const* text : {"1", "2", "3"}) EXPECT_TRUE(here.socket->send(text));
    EXPECT_TRUE(here.socket->send_first("urgent"));
    co_await there.until_heard(4);
  });
  EXPECT_EQ(there.texts, (std::vector<std::string>{"urgent", "1", "2", "3"}));
}

TEST_F(HalfWritten, is_not_overtaken) {
  scene.play([&]() -> base::Async<> {
    co_await begin_to_send_it();
    EXPECT_TRUE(here.socket->send("1"));
    EXPECT_TRUE(here.socket->send_first("urgent"));
    co_await there.until_heard(3);
  });
  EXPECT_EQ(there.texts, (std::vector<std::string>{big, "urgent", "1"}));
}

TEST_F(WebSocketQueue, drop_queued_forgets_what_waits) {
  scene.play([&]() -> base::Async<> {
    co_await scene.open();
    for (auto const* text : {"one", "two", "three"}) EXPECT_TRUE(here.socket->send(text));
    here.socket->drop_queued();
    EXPECT_EQ(here.socket->queued_bytes(), 0u);
    EXPECT_TRUE(here.socket->send("after"));
    co_await there.until_heard(1);
    EXPECT_EQ(here.socket->queued_bytes(), 0u);
  });
  EXPECT_EQ(there.texts, std::vector<std::string>{"after"});
}

TEST_F(HalfWritten, is_not_dropped) {
  scene.play([&]() -> base::Async<> {
    co_await begin_to_send_it();
    EXPECT_TRUE(here.socket->send("two"));
    here.socket->drop_queued();
    EXPECT_EQ(here.socket->queued_bytes(), big.size());
    EXPECT_TRUE(here.socket->send("after"));
    co_await there.until_heard(2);
  });
  EXPECT_EQ(there.texts, (std::vector<std::string>{big, "after"}));
}

/// Fills the connection until the peer's silence shows in a waiting queue.
struct StuckWriter : WebSocketQueue {
  StuckWriter() { scene.here_settings.max_queued_bytes = 64 * 1024 * 1024; }
  void stuff() {
    std::string const much(8 * 1024 * 1024, 'x');
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(here.socket->send(much));
  }
};

TEST_F(StuckWriter, is_dropped_at_the_next_send_after_the_write_timeout) {
  scene.here_settings.write_timeout = 500ms;
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
  scene.here_settings.write_timeout = 500ms;
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

}  // namespace
