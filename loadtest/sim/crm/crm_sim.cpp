#include "loadtest/sim/crm/crm_sim.h"

namespace sim::crm {

CrmSim::CrmSim(asio::any_io_executor executor, base::TimeSource& time, Options options)
    : server_{std::move(executor), time, std::move(options.log), metrics_, router_} {
  if (options.webhook_secret.empty()) return;
  webhooks_.emplace(time, options.webhook_secret);
  webhooks_->add_routes(router_);
}

std::uint16_t CrmSim::listen(std::uint16_t port) {
  port_ = server_.listen("127.0.0.1", port);
  return port_;
}

}  // namespace sim::crm
