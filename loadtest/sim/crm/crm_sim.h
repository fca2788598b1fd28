#pragma once
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/net/http_server.h"
#include "loadtest/sim/crm/webhook_receiver.h"

namespace sim::crm {

/// The systems a business wants told, as one real server on one thread.
class CrmSim {
 public:
  struct Options {
    std::string webhook_secret;  ///< "whsec_…"; empty: there is no webhook endpoint.
    base::Log log = base::Log::silent();
  };

  CrmSim(asio::any_io_executor executor, base::TimeSource& time, Options options);

  /// Listens on the loopback address; 0 takes a free port. Throws boost::system::system_error.
  std::uint16_t listen(std::uint16_t port = 0);
  base::Async<> serve() { return server_.serve(); }
  void stop() { server_.stop(); }
  base::Async<> drain(base::TimeSource::Clock::duration grace) { return server_.drain(grace); }

  /// "http://127.0.0.1:PORT"
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string webhook_url() const { return base_url() + "/webhook"; }
  WebhookReceiver& webhooks() { return *webhooks_; }

 private:
  base::Metrics metrics_;
  std::optional<WebhookReceiver> webhooks_;
  net::Router router_;
  net::HttpServer server_;
  std::uint16_t port_ = 0;
};

}  // namespace sim::crm
