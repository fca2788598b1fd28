#pragma once
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/bell.h"
#include "gateway/net/http_server.h"
#include "gateway/net/websocket.h"
#include "tests/support/story.h"

namespace test {

using Tcp = asio::ip::tcp;

/// One end of a WebSocket and all it heard.
class Side final : public net::WebSocketSink {
 public:
  explicit Side(asio::any_io_executor executor) : heard_{executor} {}

  void on_text(std::string_view message) override {
    texts.emplace_back(message);
    if (on_message) on_message(message);
    heard_.ring();
  }
  void on_binary(std::size_t bytes) override {
    binary_bytes += bytes;
    heard_.ring();
  }
  void have(std::unique_ptr<net::WebSocket> opened) {
    socket = std::move(opened);
    heard_.ring();
  }
  base::Async<> run() {
    closed = co_await socket->run(*this);
    heard_.ring();
  }
  /// Resumes when `so` holds; it is asked again whenever something happened here.
  base::Async<> until(std::function<bool()> so) {
    while (!so()) {
      bool const rung = co_await heard_.wait();
      if (!rung) co_return;
    }
  }
  base::Async<> until_heard(std::size_t messages) {
    co_await until([this, messages] { return texts.size() >= messages; });
  }
  base::Async<> until_closed() {
    co_await until([this] { return closed.has_value(); });
  }

  std::unique_ptr<net::WebSocket> socket;
  std::vector<std::string> texts;
  std::size_t binary_bytes = 0;
  std::optional<net::WebSocketClosed> closed;
  std::function<void(std::string_view)> on_message;

 private:
  base::Bell heard_;
};

struct Frame {
  std::uint8_t first = 0;  ///< FIN, RSV and opcode. 0 with an empty payload: the connection ended.
  bool masked = false;
  std::string payload;

  std::uint16_t close_code() const {
    if ((first & 0x0F) != 8 || payload.size() < 2) return 0;
    return static_cast<std::uint16_t>((static_cast<unsigned char>(payload[0]) << 8) |
                                      static_cast<unsigned char>(payload[1]));
  }
};

/// The bytes of one frame (RFC 6455, 5.2).
inline std::string frame(std::uint8_t first, std::string_view payload, bool masked) {
  std::string bytes;
  bytes += static_cast<char>(first);
  auto const mask_bit = masked ? 0x80u : 0u;
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() < 65536) {
    bytes += static_cast<char>(mask_bit | 126u);
    for (int shift = 8; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
  } else {
    bytes += static_cast<char>(mask_bit | 127u);
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
  }
  std::string const key = masked ? "k3Y!" : "";
  bytes += key;
  for (std::size_t i = 0; i < payload.size(); ++i)
    bytes += masked ? static_cast<char>(payload[i] ^ key[i % 4]) : payload[i];
  return bytes;
}
inline constexpr std::uint8_t text_frame = 0x81;
inline constexpr std::uint8_t binary_frame = 0x82;
inline constexpr std::uint8_t close_frame = 0x88;
inline constexpr std::uint8_t ping_frame = 0x89;
inline constexpr std::uint8_t pong_frame = 0x8A;

inline std::string close_payload(std::uint16_t code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} + std::string{reason};
}

/// The other end of a WebSocket as bytes, of either role.
class RawPeer {
 public:
  explicit RawPeer(asio::any_io_executor executor) : socket_{executor} {}

  Tcp::socket& socket() { return socket_; }

  /// As a client: connects and upgrades.
  base::Async<unsigned> connect(std::uint16_t port, std::string more = "") {
    auto [error] = co_await socket_.async_connect({asio::ip::address_v4::loopback(), port}, base::quietly);
    if (error) co_return 0;
    co_await say(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        more + "\r\n");
    head = co_await hear_head();
    co_return head.size() < 12 ? 0 : static_cast<unsigned>(std::atoi(head.c_str() + 9));
  }
  /// As a server: takes one connection and the upgrade request, and answers it.
  base::Async<> accept(Tcp::acceptor& acceptor) {
    auto [error] = co_await acceptor.async_accept(socket_, base::quietly);
    if (error) co_return;
    head = co_await hear_head();
    auto const start = head.find("Sec-WebSocket-Key: ");
    if (start == std::string::npos) co_return;
    auto const key = head.substr(start + 19, 24) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
    SHA1(reinterpret_cast<unsigned char const*>(key.data()), key.size(), digest.data());
    std::array<unsigned char, 64> encoded{};
    EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
    co_await say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        std::string{reinterpret_cast<char const*>(encoded.data())} + "\r\n\r\n");
  }
  base::Async<bool> say(std::string bytes) {
    auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes), base::quietly);
    co_return !error;
  }
  /// The next frame; an empty one when the connection has ended.
  base::Async<Frame> hear() {
    Frame result;
    bool const begun = co_await fill(2);
    if (!begun) co_return Frame{};
    result.first = byte(0);
    result.masked = (byte(1) & 0x80) != 0;
    std::size_t size = byte(1) & 0x7F;
    std::size_t header = 2;
    if (size >= 126) {
      std::size_t const digits = size == 126 ? 2 : 8;
      bool const more = co_await fill(2 + digits);
      if (!more) co_return Frame{};
      size = 0;
      for (std::size_t i = 0; i < digits; ++i) size = (size << 8) | byte(2 + i);
      header += digits;
    }
    std::size_t const key_at = header;
    if (result.masked) header += 4;
    bool const whole = co_await fill(header + size);
    if (!whole) co_return Frame{};
    result.payload = heard_.substr(header, size);
    if (result.masked)
      for (std::size_t i = 0; i < size; ++i)
        result.payload[i] = static_cast<char>(result.payload[i] ^ heard_[key_at + i % 4]);
    heard_.erase(0, header + size);
    co_return result;
  }
  /// Reads frames until one with this opcode; an empty one when the connection ended first.
  base::Async<Frame> hear(std::uint8_t first) {
    for (;;) {
      auto next = co_await hear();
      if (next.first == first || next.first == 0) co_return next;
    }
  }
  base::Async<bool> is_closed() {
    auto const next = co_await hear();
    co_return next.first == 0;
  }

  std::string head;

 private:
  std::uint8_t byte(std::size_t i) const { return static_cast<std::uint8_t>(heard_[i]); }
  base::Async<bool> fill(std::size_t bytes) {
    std::array<char, 16384> chunk;
    while (heard_.size() < bytes) {
      auto [error, count] = co_await socket_.async_read_some(asio::buffer(chunk), base::quietly);
      if (error) co_return false;
      heard_.append(chunk.data(), count);
    }
    co_return true;
  }
  base::Async<std::string> hear_head() {
    while (heard_.find("\r\n\r\n") == std::string::npos) {
      auto const size = heard_.size();
      bool const more = co_await fill(size + 1);
      if (!more) co_return "";
    }
    auto const end = heard_.find("\r\n\r\n") + 4;
    auto const result = heard_.substr(0, end);
    heard_.erase(0, end);
    co_return result;
  }

  Tcp::socket socket_;
  std::string heard_;
};

/// A real server with one WebSocket route, real clients and raw peers, all on the test's own thread.
class SocketScene {
 public:
  SocketScene() {
    router_.on_upgrade("/ws", [this](net::PendingUpgrade pending) { return door(std::move(pending)); });
    server.emplace(context.get_executor(), time, base::Log::silent(), metrics_, router_);
    port = server->listen("127.0.0.1", 0);
  }

  /// What happens to an upgrade; accepts it as `here` and runs it unless a test says otherwise.
  std::function<base::Async<>(net::PendingUpgrade)> on_upgrade;

  net::Url url(std::string_view path = "/ws") const {
    return *net::parse_url("ws://127.0.0.1:" + std::to_string(port) + std::string{path});
  }
  /// Opens `there`, a client, against `here`, and runs both.
  base::Async<> open() {
    auto opened = co_await net::connect_websocket(url(), {}, there_settings, *tls, std::chrono::seconds{5});
    if (!opened) throw std::runtime_error{opened.error().detail};
    there.have(std::move(*opened));
    tasks.spawn(there.run());
    co_await here.until([this] { return here.socket != nullptr; });
  }
  /// Plays the story with the server behind it, then ends both without leaving anything.
  void play(std::function<base::Async<>()> story) {
    auto const whole = [&]() -> base::Async<> {
      tasks.spawn(server->serve());
      co_await story();
      server->stop();
      co_await server->drain(std::chrono::milliseconds{0});
      co_await tasks.drain(time, std::chrono::milliseconds{0});
    };
    ended = test::play(context, whole);
  }

  asio::io_context context{1};
  base::SystemTime time;
  net::WebSocketSettings here_settings;
  net::WebSocketSettings there_settings;
  std::shared_ptr<net::TlsClient> tls = trust();
  std::optional<net::HttpServer> server;
  std::uint16_t port = 0;
  base::TaskGroup tasks{context.get_executor()};
  Side here{context.get_executor()};
  Side there{context.get_executor()};
  bool ended = false;

 private:
  /// Loading the trust store takes longer than a whole test.
  static std::shared_ptr<net::TlsClient> trust() {
    static auto const once = net::make_tls_client();
    return once;
  }
  base::Async<> door(net::PendingUpgrade pending) {
    if (on_upgrade) {
      co_await on_upgrade(std::move(pending));
      co_return;
    }
    auto opened = co_await pending.accept(here_settings);
    if (!opened) co_return;
    here.have(std::move(*opened));
    co_await here.run();
  }

  net::Router router_;
  base::Metrics metrics_;
};

}  // namespace test
