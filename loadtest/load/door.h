#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/net/poller.h"
#include "gateway/net/request_head.h"
#include "loadtest/load/agent.h"
#include "loadtest/load/trial.h"

namespace sim::load {

/// One connection that the gateway has opened to us: requests, or an agent's conversation.
class Visitor final : ConnectionEvents {
 public:
  explicit Visitor(Trial& trial);
  bool receive(int socket) { return connection_.adopt(socket, trial_.server_tls); }
  bool is_gone() const { return !connection_.is_open(); }

 private:
  void on_connected(Connection&) override {}
  void on_bytes(Connection& connection, std::span<char> bytes) override;
  void on_gone(Connection& connection, std::string_view why) override;

  void read_requests();
  void answer(net::Request const& request);
  void upgrade(net::Request const& request);
  void send(net::Response const& response);

  Trial& trial_;
  net::HttpLimits limits_;
  Connection connection_;
  std::string received_;
  std::optional<Agent> agent_;
};

/// Where the gateway finds its agents (signed URL, conversation) and the carrier's REST.
class Door final : net::Poller::Listener {
 public:
  /// Listens on loopback. Throws std::system_error.
  Door(Trial& trial, std::uint16_t port);
  ~Door();
  Door(Door const&) = delete;
  Door& operator=(Door const&) = delete;

  std::uint16_t port() const { return port_; }
  /// Forgets connections that have ended. Not from within a connection's events.
  void sweep();
  std::size_t visitors() const { return visitors_.size(); }

 private:
  void on_ready(std::uint32_t events) override;

  Trial& trial_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Visitor>> visitors_;
};

}  // namespace sim::load
