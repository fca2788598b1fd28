#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "gateway/base/task_group.h"
#include "gateway/net/http.h"

namespace sim::crm {

/// An answer and how it comes over the wire.
struct WireAnswer {
  net::Response response;
  std::chrono::milliseconds delay{0};    ///< Before its first byte.
  std::optional<std::size_t> cut_after;  ///< Bytes of the whole answer, head included, before the connection is reset.
};

/// An HTTP/1.1 server on loopback whose connections break where a test wants them to; our own server would never
/// do that. One thread.
class WireServer {
 public:
  using Handler = std::function<WireAnswer(net::Request const&)>;

  /// `handler` runs once a request is complete; what it did stays done, wherever its answer is cut.
  WireServer(asio::any_io_executor executor, base::TimeSource& time, Handler handler);

  /// Port 0 takes a free one. Throws boost::system::system_error.
  std::uint16_t listen(std::uint16_t port);
  base::Async<> serve();
  /// Stops accepting and drops all connections. Idempotent.
  void stop();
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  base::Async<> connection(asio::ip::tcp::socket socket);
  base::Async<bool> take_turn(asio::ip::tcp::socket& socket, std::string& received);

  base::TimeSource& time_;
  Handler handler_;
  asio::ip::tcp::acceptor acceptor_;
  base::TaskGroup connections_;
  std::list<asio::ip::tcp::socket*> open_;
  bool stopping_ = false;
};

}  // namespace sim::crm
