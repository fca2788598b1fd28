#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <span>
#include <string_view>

#include "gateway/base/async.h"
#include "gateway/net/raw_stream.h"

namespace net {

class HandshakeThread;

/// A connected TCP socket, with TLS on it or without, read and written by coroutines: for handshakes and HTTP, where a
/// connection does little. Asio's own TLS stream keeps two buffers of 17 KiB a connection and cannot be handed to
/// another loop; this one keeps nothing and can. Every wait ends with Fault::cancelled when the socket's operations are
/// cancelled.
class Stream {
 public:
  explicit Stream(asio::ip::tcp::socket socket);
  /// Adopts a stream that was released elsewhere.
  static base::Result<Stream> adopt(asio::any_io_executor executor, RawStream raw);

  /// TLS from here on, as the side that `tls` was made for. Fault::unavailable with OpenSSL's reason ("TLS: …").
  /// Its arithmetic runs on `thread` when there is one.
  base::Async<base::Result<>> handshake(SslPtr tls, HandshakeThread* thread = nullptr);
  /// At least one byte; 0 when the peer has ended its direction.
  base::Async<base::Result<std::size_t>> read_some(std::span<char> into);
  /// All of it.
  base::Async<base::Result<>> write(std::string_view bytes);
  /// Says that nothing more will be written (on the TLS layer as far as it does not have to wait); reading goes on.
  void end_writing();
  bool is_secure() const { return tls_ != nullptr; }

  asio::ip::tcp::socket& socket() { return socket_; }
  /// Leaves this loop. What TLS has read ahead travels along inside it.
  RawStream release();

 private:
  template <class Step>
  base::Async<base::Result<>> until_done(Step step, HandshakeThread* thread = nullptr);

  asio::ip::tcp::socket socket_;
  SslPtr tls_;
};

}  // namespace net
