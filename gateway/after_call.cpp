#include "gateway/after_call.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <stdexcept>

#include "crm/adapters/adapters.h"
#include "crm/adapters/webhook/webhook.h"
#include "crm/integrations/vault.h"
#include "crm/outbox/by_target.h"
#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/dispatcher.h"
#include "crm/outbox/sms.h"
#include "crm/outcome/enrich.h"
#include "gateway/agent/elevenlabs/post_call_reader.h"
#include "gateway/twilio/sms.h"

namespace gateway {
namespace {

using base::Async;
using base::Result;

/// 2100-01-01: PostgreSQL and the clocks here take no number a provider may send.
constexpr std::int64_t latest = 4'102'444'800;

net::EgressPolicy policy_of(config::Egress const& egress) {
  auto policy = net::EgressPolicy::make(egress.allow, egress.ports);
  if (!policy) throw std::runtime_error{"SWITCHBOARD_EGRESS_ALLOW or _PORTS: " + policy.error().detail};
  return *std::move(policy);
}

/// Without a key nothing can be sealed, and whoever needs a secret is told so.
std::optional<crm::Vault> vault_of(config::Vault const& settings) {
  if (settings.integration_encryption_key.empty()) return std::nullopt;
  auto masters = crm::MasterKeys::read(settings);
  if (!masters) throw std::runtime_error{masters.error().detail};
  std::optional<crm::LegacyKey> legacy;
  if (!settings.api_key_encryption_secret.empty()) legacy.emplace(settings.api_key_encryption_secret);
  return crm::Vault{*std::move(masters), std::move(legacy)};
}

crm::Enrichment enrichment_of(elevenlabs::PostCall const& call, base::TimeSource::Wall now) {
  crm::Enrichment enrichment;
  enrichment.conversation_id = call.conversation_id;
  // Theirs, so that of two words the later one stands, in whatever order we come to read them.
  enrichment.at =
      call.event_unix
          ? base::TimeSource::Wall{std::chrono::seconds{std::clamp<std::int64_t>(*call.event_unix, 0, latest)}}
          : now;
  enrichment.summary = call.summary;
  if (!call.evaluation.empty()) enrichment.evaluation_json = elevenlabs::evaluation_json(call);
  if (!call.collected.empty()) enrichment.collected_json = elevenlabs::collected_json(call);
  for (auto const& [field, why] : call.quarantine) enrichment.quarantine.push_back(field + ": " + why);
  return enrichment;
}

}  // namespace

struct AfterCall::Parts {
  explicit Parts(AfterCallServices s)
      : services{std::move(s)},
        vault{vault_of(services.settings.vault)},
        egress{services.settings.extra_ca, policy_of(services.settings.egress)},
        texts{services.http, services.accounts, services.settings.twilio.api_base_url, "", services.time},
        sms{texts, services.database},
        webhook{egress, services.database, services.time, reveal()},
        crm{services.database, reveal(),
            [this](std::string_view provider, crm::AdapterSettings settings) {
              return crm::make_adapter(provider, std::move(settings), egress, services.time);
            }},
        targets{sms, webhook, crm},
        dispatcher{services.back_office, services.database, services.time, targets, services.log, services.metrics},
        reader{services.back_office,
               services.database,
               services.time,
               services.log,
               services.metrics,
               [this](crm::pg::Session& session, elevenlabs::PostCall call) {
                 return crm::enrich_call(session, enrichment_of(call, services.time.wall()));
               }},
        door{{services.settings.elevenlabs.webhook_secret, services.back_office, services.database, services.time,
              services.metrics, services.log, [this] { reader.ring(); }}} {}

  crm::Reveal reveal() {
    return [this](crm::Integration integration, base::Instant deadline) {
      return open_secret(std::move(integration), deadline);
    };
  }

  Async<Result<base::Secret>> open_secret(crm::Integration integration, base::Instant deadline) {
    if (!vault) co_return base::fail(base::Fault::refused, "INTEGRATION_ENCRYPTION_KEY is not set");
    if (!integration.sealed_secret) co_return base::fail(base::Fault::refused, "the integration has no secret");
    auto const open = [&](crm::pg::Transaction& session) {
      return vault->reveal(session, {integration.tenant, "integrations", integration.id.text(), "secret"},
                           *integration.sealed_secret);
    };
    auto secret = co_await services.database.transaction_of(integration.tenant, open, deadline);
    co_return secret;
  }

  AfterCallServices services;
  std::optional<crm::Vault> vault;
  net::HttpClient egress;
  twilio::Sms texts;
  crm::SmsDeliverer sms;
  crm::webhook::Webhook webhook;
  crm::CrmDeliverer crm;
  crm::ByTarget targets;
  crm::Dispatcher dispatcher;
  elevenlabs::PostCallReader reader;
  elevenlabs::WebhookDoor door;
};

AfterCall::AfterCall(AfterCallServices services) : parts_{std::make_unique<Parts>(std::move(services))} {}

AfterCall::~AfterCall() = default;

elevenlabs::WebhookDoor& AfterCall::webhook_door() {
  return parts_->door;
}

void AfterCall::start(base::TaskGroup& tasks) {
  tasks.spawn(parts_->dispatcher.run());
  tasks.spawn(parts_->reader.run());
}

void AfterCall::ring() {
  parts_->dispatcher.ring();
  asio::post(parts_->services.back_office, [parts = parts_.get()] { parts->reader.ring(); });
}

Async<> AfterCall::drain(base::TimeSource::Clock::duration grace) {
  return parts_->dispatcher.drain(grace);
}

}  // namespace gateway
