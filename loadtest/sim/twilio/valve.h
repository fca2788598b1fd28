#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>

#include "gateway/base/async.h"

namespace sim::twilio {

/// A one-connection TCP relay on loopback that can stop reading from its far end, which closes that end's TCP window:
/// how a gateway meets a peer that stops reading.
class Valve {
 public:
  explicit Valve(asio::any_io_executor executor);

  /// Listens; returns the port to connect to. Throws boost::system::system_error.
  std::uint16_t open();
  /// Takes one connection and carries it to `host`:`port` until either side ends. Never throws.
  base::Async<> carry(std::string host, std::uint16_t port);
  /// Stops or resumes reading what the far end sends.
  void hold(bool shut);
  void close();

 private:
  base::Async<> pump(asio::ip::tcp::socket& from, asio::ip::tcp::socket& to, bool is_gated);

  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::socket near_;
  asio::ip::tcp::socket far_;
  asio::steady_timer gate_;
  bool shut_ = false;
  bool closed_ = false;
};

}  // namespace sim::twilio
