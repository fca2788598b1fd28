#pragma once
// Raw sockets for thousands of connections on one thread.
#include <netinet/in.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/poller.h"
#include "gateway/net/raw_stream.h"

namespace sim::load {

/// Nanoseconds of the monotonic clock.
std::int64_t monotonic_ns();

/// Runs whatever has become due, in between two sockets: a batch of sockets may take a millisecond.
class Ticker {
 public:
  virtual void run_due() = 0;

 protected:
  ~Ticker() = default;
};

/// What all connections of a thread share.
struct Wires {
  Wires() : input(128 * 1024) {}

  net::Poller poller;
  std::vector<char> input;  ///< What the connection at hand has just read.
  Ticker* ticker = nullptr;
};

class Connection;

/// Hears about one connection. It must not be destroyed from within these calls, but may be closed.
class ConnectionEvents {
 public:
  virtual void on_connected(Connection& connection) = 0;
  virtual void on_bytes(Connection& connection, std::span<char> bytes) = 0;
  /// The peer is gone, or never came; `why` is empty for an orderly end. Not called after close().
  virtual void on_gone(Connection& connection, std::string_view why) = 0;

 protected:
  ~ConnectionEvents() = default;
};

/// One TCP connection, with TLS on it or without. Writes at once what the kernel takes and keeps the rest. Nothing is
/// allocated once its buffers have grown.
class Connection final : public net::Poller::Listener {
 public:
  Connection(Wires& wires, ConnectionEvents& events) : wires_{wires}, events_{events} {}
  ~Connection() { close(); }
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  /// Begins to connect; on_connected or on_gone follows. False when there is no descriptor left.
  bool connect(sockaddr_in const& to, SSL_CTX* tls, std::string const& host);
  /// Takes a socket that was accepted; on_connected follows once TLS stands.
  bool adopt(int socket, SSL_CTX* tls);

  void send(std::string_view bytes);
  /// Closes once everything has been written.
  void finish();
  void close();

  bool is_open() const { return socket_ >= 0; }
  /// Bytes that the kernel has not taken.
  std::size_t queued() const { return waiting_.size() - written_; }

 private:
  enum class State { closed, connecting, shaking_hands, open };

  void on_ready(std::uint32_t events) override;
  bool start(int socket, SSL_CTX* tls, bool is_server);
  void advance();
  void read(bool peer_is_done);
  void flush();
  /// How many bytes went; 0 when none can go now; -1 when the connection is broken.
  std::int64_t write_some(std::string_view bytes);
  std::int64_t read_some(std::span<char> into);
  void lose(std::string_view why);

  Wires& wires_;
  ConnectionEvents& events_;
  int socket_ = -1;
  net::SslPtr tls_;
  State state_ = State::closed;
  std::string waiting_;
  std::size_t written_ = 0;
  bool is_finishing_ = false;
};

}  // namespace sim::load
