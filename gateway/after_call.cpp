#include "gateway/after_call.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "crm/outcome/enrich.h"
#include "gateway/agent/elevenlabs/post_call_reader.h"
#include "gateway/telling.h"
#include "gateway/twilio/message_status.h"
#include "gateway/web/routes.h"

namespace gateway {
namespace {

using base::Async;
using base::Result;

/// 2100-01-01: PostgreSQL and the clocks here take no number a provider may send.
constexpr std::int64_t latest = 4'102'444'800;

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
        telling{{services.back_office, services.time, services.http, services.accounts, services.log, services.metrics},
                services.telling_database,
                services.settings},
        message_status{{services.verifier, services.accounts, services.back_office, services.database, services.time,
                        services.log}},
        reader{services.back_office,
               services.database,
               services.time,
               services.log,
               services.metrics,
               [this](crm::pg::Session& session, elevenlabs::PostCall const& call) {
                 return crm::enrich_call(session, enrichment_of(call, services.time.wall()));
               }},
        post_call{{services.settings.elevenlabs.webhook_secret, services.back_office, services.database, services.time,
                   services.metrics, services.log, [this] { reader.ring(); }}} {}

  AfterCallServices services;
  Telling telling;
  twilio::MessageStatusDoor message_status;
  elevenlabs::PostCallReader reader;
  elevenlabs::WebhookDoor post_call;
};

AfterCall::AfterCall(AfterCallServices services) : parts_{std::make_unique<Parts>(std::move(services))} {}

AfterCall::~AfterCall() = default;

void AfterCall::add_routes(net::Router& router) {
  web::add_message_routes(router, parts_->message_status);
  web::add_agent_webhook_routes(router, parts_->post_call);
}

void AfterCall::start(base::TaskGroup& tasks) {
  tasks.spawn(parts_->telling.run());
  tasks.spawn(parts_->reader.run());
}

void AfterCall::ring() {
  parts_->telling.ring();
  asio::post(parts_->services.back_office, [parts = parts_.get()] { parts->reader.ring(); });
}

Async<> AfterCall::drain(base::TimeSource::Clock::duration grace) {
  return parts_->telling.drain(grace);
}

}  // namespace gateway
