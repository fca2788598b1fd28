#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/task_group.h"
#include "gateway/net/router.h"

namespace net {

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_fields = 100;
  std::size_t target_bytes = 8 * 1024;
  std::chrono::milliseconds header_timeout{10000};
  std::chrono::milliseconds body_timeout{20000};
  std::chrono::milliseconds keep_alive{60000};
  unsigned requests_per_connection = 1000;
  std::size_t connections = 20000;
};

/// One listening socket on one core (SO_REUSEPORT, so that every core has its own) and the connections accepted there.
class HttpServer {
 public:
  HttpServer(asio::any_io_executor executor, base::TimeSource& time, base::Log log, base::Metrics& metrics,
             Router const& router, HttpLimits limits = {});

  /// Binds and listens. Port 0 takes a free one. Returns the port. Throws boost::system::system_error at start-up.
  std::uint16_t listen(std::string const& address, std::uint16_t port);
  /// Accepts until stop() or cancellation.
  base::Async<> serve();
  /// Stops accepting; open connections finish their request. Idempotent.
  void stop();
  /// Waits for open connections, at most `grace`, then drops them.
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  base::Async<> connection(asio::ip::tcp::socket socket);

  base::TimeSource& time_;
  base::Log log_;
  Router const& router_;
  HttpLimits limits_;
  asio::ip::tcp::acceptor acceptor_;
  base::TaskGroup connections_;
  bool stopping_ = false;
  prometheus::Counter& accepted_;
  prometheus::Counter& refused_;
};

}  // namespace net
