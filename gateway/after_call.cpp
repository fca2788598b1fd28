#include "gateway/after_call.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "crm/housekeeping.h"
#include "crm/outcome/enrich.h"
#include "crm/outcome/missing_turns.h"
#include "gateway/agent/elevenlabs/conversation_poll.h"
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

base::TimeSource::Wall wall_of(std::int64_t unix_seconds) {
  return base::TimeSource::Wall{std::chrono::seconds{std::clamp<std::int64_t>(unix_seconds, 0, latest)}};
}

crm::Enrichment enrichment_of(elevenlabs::PostCall const& call, base::TimeSource::Wall now) {
  crm::Enrichment enrichment;
  enrichment.conversation_id = call.conversation_id;
  // Theirs, so that of two words the later one stands, in whatever order we come to read them.
  enrichment.at = call.event_unix ? wall_of(*call.event_unix) : now;
  enrichment.summary = call.summary;
  if (!call.evaluation.empty()) enrichment.evaluation_json = elevenlabs::evaluation_json(call);
  if (!call.collected.empty()) enrichment.collected_json = elevenlabs::collected_json(call);
  for (auto const& [field, why] : call.quarantine) enrichment.quarantine.push_back(field + ": " + why);
  return enrichment;
}

std::vector<crm::ToldTurn> told_by(elevenlabs::PostCall& call) {
  std::vector<crm::ToldTurn> told;
  if (!call.start_unix) return told;
  for (auto& turn : call.transcript) {
    auto const role = turn.by_agent ? crm::Speaker::agent : crm::Speaker::caller;
    told.push_back(
        {role, std::move(turn.text), std::move(turn.original), turn.interrupted, wall_of(*call.start_unix) + turn.at});
  }
  return told;
}

/// What is said about a call that a lost gateway served also completes its record.
Async<Result<bool>> apply(crm::pg::Session& session, elevenlabs::PostCall call, crm::Enrichment enrichment) {
  auto const enriched = co_await crm::enrich_call(session, std::move(enrichment));
  if (!enriched || !*enriched) co_return enriched;
  auto const conversation = call.conversation_id;
  auto const completed = co_await crm::complete_lost_call(session, conversation, told_by(call));
  if (!completed) co_return std::unexpected{completed.error()};
  co_return true;
}

elevenlabs::ApplyPostCall applied_from(crm::Enrichment::From source, base::TimeSource& time) {
  return [source, &time](crm::pg::Session& session, elevenlabs::PostCall call) {
    auto enrichment = enrichment_of(call, time.wall());
    enrichment.from = source;
    return apply(session, std::move(call), std::move(enrichment));
  };
}

elevenlabs::ConversationPoll::Settings poll_settings(config::ElevenLabs const& settings) {
  elevenlabs::ConversationPoll::Settings poll;
  poll.after = settings.poll_after;
  poll.look_every = std::clamp(poll.after / 4, std::chrono::milliseconds{100}, poll.look_every);
  poll.first_backoff = std::min(poll.first_backoff, poll.after);
  return poll;
}

crm::Housekeeping::Settings housekeeping_settings(config::Retention const& retention) {
  crm::Housekeeping::Settings settings;
  settings.keep_inbox = std::chrono::days{retention.inbox_days};
  settings.keep_outbox = std::chrono::days{retention.outbox_days};
  return settings;
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
        reader{services.back_office, services.database, services.time,
               services.log,         services.metrics,  applied_from(crm::Enrichment::From::webhook, services.time)},
        conversations{services.http, services.time, services.settings.elevenlabs.api_base_url,
                      services.settings.elevenlabs.api_key},
        poll{services.back_office,
             conversations,
             services.database,
             services.time,
             services.log,
             services.metrics,
             applied_from(crm::Enrichment::From::poll, services.time),
             poll_settings(services.settings.elevenlabs)},
        housekeeping{services.database, services.time, services.log, services.metrics,
                     housekeeping_settings(services.settings.retention)},
        post_call{{services.settings.elevenlabs.webhook_secret, services.back_office, services.database, services.time,
                   services.metrics, services.log, [this] { reader.ring(); }}} {}

  AfterCallServices services;
  Telling telling;
  twilio::MessageStatusDoor message_status;
  elevenlabs::PostCallReader reader;
  elevenlabs::Conversations conversations;
  elevenlabs::ConversationPoll poll;
  crm::Housekeeping housekeeping;
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
  tasks.spawn(parts_->poll.run());
  tasks.spawn(parts_->housekeeping.run());
}

void AfterCall::ring() {
  parts_->telling.ring();
  asio::post(parts_->services.back_office, [parts = parts_.get()] { parts->reader.ring(); });
}

Async<> AfterCall::drain(base::TimeSource::Clock::duration grace) {
  return parts_->telling.drain(grace);
}

Async<Result<std::optional<base::TimeSource::Wall>>> AfterCall::end_of_conversation(std::string id) {
  if (!parts_->conversations.can_read())
    co_return base::fail(base::Fault::refused, "no key to read conversations with");
  auto const told = co_await parts_->conversations.read(std::move(id));
  if (!told) co_return base::fail(base::Fault::unavailable, told.error().why);
  std::optional<base::TimeSource::Wall> end;
  bool const is_over = told->is_complete() || told->status == "processing";
  if (is_over && told->start_unix && told->duration) end = wall_of(*told->start_unix) + *told->duration;
  co_return end;
}

void AfterCall::call_was_lost() {
  parts_->poll.ring();
  parts_->reader.ring();
}

}  // namespace gateway
