#pragma once
// Stands where a load balancer stands: callers reach the gateway through it, and a connection that comes while the
// gateway is down waits for it instead of being refused.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>

#include "gateway/base/async.h"
#include "gateway/base/task_group.h"

namespace outside {

/// A TCP relay on loopback; lives on the one thread of its executor.
class Door {
 public:
  /// Listens at once; `inner` is the port behind it. Throws boost::system::system_error.
  Door(asio::any_io_executor executor, std::uint16_t inner);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Until close().
  base::Async<> serve();
  base::Async<> close(base::TimeSource& time);
  /// Everything that goes through it is reset, as when the machine behind it loses power, and nobody comes in again.
  void cut();
  /// Held, what comes waits as if nobody were behind the door; connections that stand go on.
  void hold(bool held) { held_ = held; }

 private:
  using Socket = asio::ip::tcp::socket;
  base::Async<> carry(Socket outer);
  base::Async<> relay(Socket& outer, Socket& inner);
  base::Async<> reach(Socket& inner, bool& reached);
  base::Async<> collect(Socket& outer, std::string& early);
  base::Async<> pump(Socket& from, Socket& to);

  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t inner_;
  base::TaskGroup connections_;
  std::list<Socket*> open_;
  bool held_ = false;
};

}  // namespace outside
