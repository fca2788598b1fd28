#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "gateway/net/http_server.h"

namespace test {

/// Where a server is met: with `trust` over TLS.
struct Door {
  Door(std::uint16_t p, net::TlsClient const* t = nullptr) : port{p}, trust{t} {}
  operator std::uint16_t() const { return port; }
  std::uint16_t port;
  net::TlsClient const* trust;
};

/// A real HttpServer on loopback and a thread of its own. Fill `router`, then start().
class ServerScene {
 public:
  ~ServerScene() { finish(); }

  net::Router router;
  base::Metrics metrics;

  /// Before start(): https for whoever trusts `trust`.
  void secure(net::TlsServer const& tls, net::TlsClient const& trust) {
    tls_ = &tls;
    trust_ = &trust;
  }

  Door start(net::HttpLimits limits = {}, base::Log log = base::Log::silent()) {
    server_.emplace(context_.get_executor(), time_, std::move(log), metrics, router, limits, tls_);
    port_ = server_->listen("127.0.0.1", 0);
    served_ = asio::co_spawn(context_, server_->serve(), asio::use_future);
    thread_ = std::thread{[this] {
      auto const work = asio::make_work_guard(context_);
      context_.run();
    }};
    return port();
  }
  Door port() const { return {port_, trust_}; }
  std::string url(std::string_view path) const {
    return std::string{trust_ ? "https" : "http"} + "://127.0.0.1:" + std::to_string(port_) + std::string{path};
  }
  asio::any_io_executor executor() { return context_.get_executor(); }

  /// On the server's own thread.
  void stop() {
    asio::post(context_, std::packaged_task<void()>{[this] { server_->stop(); }});
  }
  std::future<void> drain(std::chrono::milliseconds grace) {
    return asio::co_spawn(context_, server_->drain(grace), asio::use_future);
  }
  std::future<void>& served() { return served_; }
  template <class F>
  auto on_server_thread(F work) {
    return asio::post(context_, std::packaged_task<decltype(work())()>{std::move(work)}).get();
  }

 private:
  void finish() {
    if (!thread_.joinable()) return;
    stop();
    drain(std::chrono::milliseconds{0}).get();
    context_.stop();
    thread_.join();
  }

  asio::io_context context_{1};
  base::SystemTime time_;
  net::TlsServer const* tls_ = nullptr;
  net::TlsClient const* trust_ = nullptr;
  std::optional<net::HttpServer> server_;
  std::uint16_t port_ = 0;
  std::future<void> served_;
  std::thread thread_;
};

struct Answer {
  unsigned status = 0;  ///< 0: the connection ended before a whole answer came.
  net::Headers headers;
  std::string body;
};

/// Says bytes and hears bytes, nothing more; every wait ends after ten seconds.
class RawClient {
 public:
  explicit RawClient(Door door, int receive_buffer = 0) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    timeval const limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(door.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
    if (!connected_ || door.trust == nullptr) return;
    tls_ = std::move(*door.trust->make("localhost"));
    net::attach(*tls_, socket_);
    (void)SSL_do_handshake(tls_.get());  // where that fails, so does what follows
  }
  ~RawClient() { ::close(socket_); }
  RawClient(RawClient const&) = delete;
  RawClient& operator=(RawClient const&) = delete;

  bool connected() const { return connected_; }
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      auto const sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// True when the server says something, or closes, within this time.
  bool is_answered_within(std::chrono::milliseconds limit) {
    pollfd waiting{socket_, POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
  }
  void say_no_more() {
    if (tls_) SSL_shutdown(tls_.get());
    ::shutdown(socket_, SHUT_WR);
  }
  /// True when the server ended the connection and left nothing more to read.
  bool is_closed() { return heard_.empty() && !hear(); }
  /// The next whole answer; `to_head` when it answers a HEAD request.
  Answer answer(bool to_head = false) {
    Answer answer;
    while (heard_.find("\r\n\r\n") == std::string::npos)
      if (!hear()) return answer;
    auto const end = heard_.find("\r\n\r\n") + 4;
    std::string_view head{heard_.data(), end};
    auto const status = static_cast<unsigned>(std::atoi(heard_.c_str() + std::string_view{"HTTP/1.1 "}.size()));
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.starts_with("\r\n")) {
      auto const colon = head.find(": ");
      auto const stop = head.find("\r\n");
      answer.headers.add(std::string{head.substr(0, colon)}, std::string{head.substr(colon + 2, stop - colon - 2)});
      head.remove_prefix(stop + 2);
    }
    heard_.erase(0, end);
    auto const length =
        to_head ? 0 : static_cast<std::size_t>(std::atoll(std::string{answer.headers.find("Content-Length")}.c_str()));
    while (heard_.size() < length)
      if (!hear()) return answer;
    answer.body = heard_.substr(0, length);
    heard_.erase(0, length);
    answer.status = status;
    return answer;
  }
  Answer ask(std::string_view bytes) {
    say(bytes);
    return answer();
  }

 private:
  bool hear() {
    std::array<char, 65536> chunk;
    errno = 0;
    auto const got =
        tls_ ? SSL_read(tls_.get(), chunk.data(), chunk.size()) : ::recv(socket_, chunk.data(), chunk.size(), 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    EXPECT_FALSE(timed_out_) << "the server neither answered nor closed";
    if (got <= 0) return false;
    heard_.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  net::SslPtr tls_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string heard_;
};

}  // namespace test
