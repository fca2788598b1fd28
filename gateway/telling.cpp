#include "gateway/telling.h"

#include <stdexcept>

#include "gateway/twilio/message_status.h"

namespace gateway {
namespace {

std::optional<crm::Vault> vault_from(config::Vault const& settings) {
  if (settings.integration_encryption_key.empty()) return std::nullopt;
  auto masters = crm::MasterKeys::read(settings);
  if (!masters) throw std::runtime_error{masters.error().detail};
  std::optional<crm::LegacyKey> legacy;
  if (!settings.api_key_encryption_secret.empty()) legacy.emplace(settings.api_key_encryption_secret);
  return crm::Vault{std::move(*masters), std::move(legacy)};
}

net::EgressPolicy policy_from(config::Egress const& settings) {
  auto policy = net::EgressPolicy::make(settings.allow, settings.ports);
  if (!policy) throw std::runtime_error{policy.error().detail};
  return std::move(*policy);
}

base::Async<base::Result<base::Secret>> without_key(crm::Integration, base::Instant) {
  co_return base::fail(base::Fault::unavailable, "INTEGRATION_ENCRYPTION_KEY is not set");
}

}  // namespace

Telling::Telling(Services services, crm::pg::PoolSettings database, config::Settings const& settings)
    : pool_{std::move(database), services.time},
      vault_{vault_from(settings.vault)},
      tenants_{settings.extra_ca, policy_from(settings.egress)},
      carrier_{services.carrier, services.accounts, settings.twilio.api_base_url,
               settings.http.public_base_url + twilio::message_status_path, services.time},
      sms_{carrier_, pool_, services.time},
      webhook_{tenants_, pool_, services.time, reveal()},
      crm_{pool_, reveal(),
           [this, &time = services.time](std::string_view provider, crm::AdapterSettings given) {
             return crm::make_adapter(provider, std::move(given), tenants_, time);
           }},
      by_target_{sms_, webhook_, crm_},
      dispatcher_{services.back_office, pool_, services.time, by_target_, services.log, services.metrics} {}

crm::Reveal Telling::reveal() {
  return vault_ ? crm::reveal_with(*vault_, pool_) : crm::Reveal{without_key};
}

base::Async<> Telling::drain(base::TimeSource::Clock::duration grace) {
  co_await dispatcher_.drain(grace);
  pool_.close();
}

}  // namespace gateway
