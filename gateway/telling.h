#pragma once
#include <chrono>
#include <optional>

#include "config/settings.h"
#include "crm/adapters/webhook/webhook.h"
#include "crm/outbox/by_target.h"
#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/dispatcher.h"
#include "crm/outbox/sms.h"
#include "gateway/twilio/sms.h"

namespace gateway {

/// Everything that tells other systems what calls led to, on the back office's thread, with connections of its own: a
/// slow CRM must not hold up the records of calls.
class Telling {
 public:
  struct Services {
    asio::any_io_executor back_office;
    base::TimeSource& time;
    net::HttpClient& carrier;  ///< For Twilio: goes wherever the operator says.
    twilio::Accounts const& accounts;
    base::Log log;
    base::Metrics& metrics;
  };
  /// Throws std::runtime_error when the settings of keys or addresses cannot be used. Without a key nothing is lost:
  /// what is for integrations waits.
  Telling(Services services, crm::pg::PoolSettings database, config::Settings const& settings);

  /// Spawn it once; ends when cancelled or draining.
  base::Async<> run() { return dispatcher_.run(); }
  /// Something new is in the outbox; any thread.
  void ring() { dispatcher_.ring(); }
  /// Lets deliveries under way end for `grace`; call it before destroying this.
  base::Async<> drain(base::TimeSource::Clock::duration grace);

 private:
  crm::Reveal reveal();

  crm::pg::Pool pool_;
  std::optional<crm::Vault> vault_;
  net::HttpClient tenants_;  // guarded: goes where tenants say
  twilio::Sms carrier_;
  crm::SmsDeliverer sms_;
  crm::webhook::Webhook webhook_;
  crm::CrmDeliverer crm_;
  crm::ByTarget by_target_;
  crm::Dispatcher dispatcher_;
};

}  // namespace gateway
