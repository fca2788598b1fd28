#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/base/task_group.h"
#include "gateway/net/http_limits.h"
#include "gateway/net/lobby.h"
#include "gateway/net/router.h"
#include "gateway/net/tls.h"

namespace net {

/// One listening socket on one core (SO_REUSEPORT, so that every core has its own) and the connections accepted there.
class HttpServer {
 public:
  /// With `tls` it speaks https only; one TlsServer serves all cores and outlives their connections.
  HttpServer(asio::any_io_executor executor, base::TimeSource& time, base::Log log, base::Metrics& metrics,
             Router const& router, HttpLimits limits = {}, TlsServer const* tls = nullptr);

  /// Media sockets that were accepted here wait there too, once they are upgraded.
  Lobby& lobby() { return lobby_; }
  /// Binds and listens. Port 0 takes a free one. Returns the port. Throws boost::system::system_error at start-up.
  std::uint16_t listen(std::string const& address, std::uint16_t port);
  /// Accepts until stop() or cancellation.
  base::Async<> serve();
  /// Stops accepting and drops connections that wait for a request; others finish the one they have. Idempotent.
  void stop();
  /// Waits for open connections, at most `grace`, then cancels their handlers and drops them.
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  struct Wire;
  struct Turn;
  base::Async<bool> may_accept();
  base::Async<> connection(asio::ip::tcp::socket socket);
  base::Async<Turn> secure(Wire& wire);
  base::Async<bool> await_request(Wire& wire);
  base::Async<Turn> take_turn(Wire& wire, std::string const& peer, bool may_go_on);
  base::Async<Response> ask_handler(Router::Route const& route, Request request);
  base::Async<> hand_over(Wire& wire, Router::UpgradeHandler const& handler, Request request);

  base::TimeSource& time_;
  base::Log log_;
  Router const& router_;
  HttpLimits limits_;
  TlsServer const* tls_;
  asio::ip::tcp::acceptor acceptor_;
  Lobby lobby_;
  base::TaskGroup connections_;
  std::list<asio::ip::tcp::socket*> idle_;  // those of connections between two requests
  bool stopping_ = false;
  bool is_short_ = false;  // of descriptors
  prometheus::Gauge& open_;
  prometheus::Counter& accepted_;
  prometheus::Counter& refused_;
  prometheus::Counter& unsecured_;
  prometheus::Counter& shortages_;
};

}  // namespace net
