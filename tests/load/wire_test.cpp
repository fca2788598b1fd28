#include "loadtest/load/wire.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "loadtest/load/gateway_child.h"
#include "loadtest/load/own_tls.h"

namespace {

using namespace sim::load;
using std::chrono::milliseconds;

/// Keeps what arrives.
struct End : ConnectionEvents {
  explicit End(Wires& wires) : connection{wires, *this} {}
  void on_connected(Connection&) override { is_connected = true; }
  void on_bytes(Connection&, std::span<char> bytes) override { heard.append(bytes.data(), bytes.size()); }
  void on_gone(Connection&, std::string_view why) override { gone.emplace(why); }

  Connection connection;
  bool is_connected = false;
  std::string heard;
  std::optional<std::string> gone;
};

/// Two ends of one connection on loopback, plain or with TLS.
class ConnectionTest : public testing::TestWithParam<bool> {
 protected:
  ConnectionTest() {
    if (GetParam()) {
      folder_ = make_temporary_folder();
      tls_.emplace(folder_);
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size), 0);
  }
  ~ConnectionTest() override {
    if (listener_ >= 0) ::close(listener_);
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void connect() {
    ASSERT_TRUE(client.connection.connect(address_, tls_ ? tls_->client() : nullptr, "localhost"));
    int const accepted = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ASSERT_GE(accepted, 0);
    ASSERT_TRUE(server.connection.adopt(accepted, tls_ ? tls_->server() : nullptr));
    ASSERT_TRUE(until([&] { return client.is_connected && server.is_connected; }));
  }
  template <class Condition>
  bool until(Condition condition) {
    auto const deadline = monotonic_ns() + 10'000'000'000;
    while (!condition() && monotonic_ns() < deadline) wires.poller.poll(milliseconds{100});
    return condition();
  }

  Wires wires;
  End client{wires};
  End server{wires};
  int listener_ = -1;
  sockaddr_in address_{};

 private:
  std::filesystem::path folder_;
  std::optional<OwnTls> tls_;
};

INSTANTIATE_TEST_SUITE_P(PlainAndTls, ConnectionTest, testing::Bool());

std::string numbered(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  return text;
}

TEST_P(ConnectionTest, carries_bytes_both_ways) {
  connect();
  client.connection.send("from the client");
  server.connection.send("from the server");
  EXPECT_TRUE(until([&] { return !client.heard.empty() && !server.heard.empty(); }));
  EXPECT_EQ(client.heard, "from the server");
  EXPECT_EQ(server.heard, "from the client");
}

TEST_P(ConnectionTest, forgets_what_is_sent_before_there_is_a_connection) {
  End early{wires};
  EXPECT_FALSE(early.connection.is_open());
  early.connection.send("to nobody");
  EXPECT_EQ(early.connection.queued(), 0U);
}

TEST_P(ConnectionTest, keeps_what_the_kernel_does_not_take_and_sends_it_in_order) {
  connect();
  auto const text = numbered(20'000'000);
  for (std::size_t at = 0; at < text.size(); at += 99'991)
    client.connection.send(std::string_view{text}.substr(at, 99'991));
  EXPECT_GT(client.connection.queued(), 0U);
  EXPECT_TRUE(until([&] { return server.heard.size() >= text.size(); }));
  EXPECT_TRUE(server.heard == text);
  EXPECT_EQ(client.connection.queued(), 0U);
}

TEST_P(ConnectionTest, finishes_only_when_everything_is_written) {
  connect();
  auto const text = numbered(10'000'000);
  client.connection.send(text);
  client.connection.finish();
  EXPECT_TRUE(until([&] { return server.gone.has_value(); }));
  EXPECT_TRUE(server.heard == text);
  EXPECT_EQ(*server.gone, "") << "an orderly end";
  EXPECT_FALSE(client.connection.is_open());
  EXPECT_FALSE(client.gone) << "who closes knows it already";
}

TEST_P(ConnectionTest, tells_that_the_peer_has_gone_and_what_it_said_last) {
  connect();
  server.connection.send("goodbye");
  server.connection.close();
  EXPECT_TRUE(until([&] { return client.gone.has_value(); }));
  EXPECT_EQ(client.heard, "goodbye");
}

TEST_P(ConnectionTest, tells_that_nobody_listens) {
  ::close(listener_);
  listener_ = -1;
  ASSERT_TRUE(client.connection.connect(address_, nullptr, "localhost"));
  EXPECT_TRUE(until([&] { return client.gone.has_value(); }));
  EXPECT_EQ(*client.gone, "Connection refused");
}

TEST(ConnectionWithTls, fails_with_a_reason_when_the_peer_speaks_something_else) {
  auto const folder = make_temporary_folder();
  OwnTls const tls{folder};
  std::filesystem::remove_all(folder);
  Wires wires;
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
  End server{wires};
  ASSERT_TRUE(server.connection.adopt(pair[0], tls.server()));
  ASSERT_EQ(::write(pair[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
  for (int i = 0; i < 100 && !server.gone; ++i) wires.poller.poll(milliseconds{100});
  ::close(pair[1]);
  ASSERT_TRUE(server.gone);
  EXPECT_TRUE(server.gone->starts_with("TLS: ")) << *server.gone;
}

}  // namespace
