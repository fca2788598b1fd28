#pragma once
#include <gtest/gtest.h>

#include "tests/net/socket_scene.h"

namespace test {

/// One server and one client of ours, and a raw client that may say anything.
struct WebSocketScene : testing::Test {
  SocketScene scene;
  Side& here = scene.here;    // the server's end
  Side& there = scene.there;  // the client's end
  RawPeer peer{scene.context.get_executor()};

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

}  // namespace test
