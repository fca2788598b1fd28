#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <utility>

namespace net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
/// The TLS state of one connection; reads and writes the socket itself (SSL_set_fd), so it moves with the descriptor.
using SslPtr = std::unique_ptr<SSL, SslFree>;

/// A connected socket that belongs to no event loop: how a connection travels from one owner, or core, to the next.
/// Non-blocking. Closes what it still holds.
class RawStream {
 public:
  RawStream() = default;
  explicit RawStream(int socket, SslPtr tls = nullptr) : socket_{socket}, tls_{std::move(tls)} {}
  RawStream(RawStream&& other) noexcept : socket_{std::exchange(other.socket_, -1)}, tls_{std::move(other.tls_)} {}
  RawStream& operator=(RawStream&& other) noexcept;
  ~RawStream() { reset(); }

  int socket() const { return socket_; }
  SSL* tls() const { return tls_.get(); }
  explicit operator bool() const { return socket_ >= 0; }
  /// Closes the socket at once, without a goodbye on the TLS layer.
  void reset();
  std::pair<int, SslPtr> release() { return {std::exchange(socket_, -1), std::move(tls_)}; }

 private:
  int socket_ = -1;
  SslPtr tls_;
};

}  // namespace net
