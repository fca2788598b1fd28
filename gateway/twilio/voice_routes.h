#pragma once
#include <functional>
#include <optional>
#include <string>

#include "crm/routing.h"
#include "gateway/base/log.h"
#include "gateway/call/homes.h"
#include "gateway/net/form.h"
#include "gateway/net/http.h"
#include "gateway/twilio/accounts.h"
#include "gateway/twilio/signature.h"
#include "gateway/twilio/ticket.h"
#include "gateway/twilio/webhook.h"

namespace gateway::twilio {

struct VoiceMetrics {
  explicit VoiceMetrics(base::Metrics& metrics);
  base::Metrics& all;
  prometheus::Counter& forged;
  prometheus::Histogram& answer_seconds;  ///< Webhook request to TwiML.
  prometheus::Counter& answered(std::string_view how);
};

/// What the voice webhooks look up beyond memory. Both may fail or be slow; both are bounded by the caller.
struct VoiceRecords {
  /// The record of a call that this process does not know, from a life before.
  std::function<base::Async<std::optional<crm::CallRecord>>(base::CallSid)> find;
  /// Gives such a call its terminal state.
  std::function<void(base::CallSid, crm::CallStatus)> close;
};

struct VoiceServices {
  std::string public_base_url;  ///< As Twilio was given it, no trailing slash.
  std::string stream_base_url;  ///< The same with wss:// (ws:// for simulations on loopback).
  SignatureVerifier const& verifier;
  Accounts const& accounts;
  TicketOffice const& tickets;
  crm::RoutingFeed const& routing;
  Homes const& homes;
  base::TimeSource& time;
  VoiceMetrics& metrics;
  base::Log log;
  VoiceRecords records;
  std::string node;
};

/// The routes Twilio calls about a call. Each checks the signature before it looks at anything else, moves to the core
/// where the call lives, and answers TwiML from memory: no database, no agent is waited for. A caller never meets an
/// error page.
class VoiceRoutes {
 public:
  explicit VoiceRoutes(VoiceServices services) : services_{std::move(services)} {}

  /// POST /api/twilio/voice-callback: a call has come in (or our outbound call was answered).
  base::Async<net::Response> voice(net::Request request);
  /// POST /api/twilio/voice-resume: the document came to its end; ?after=dial and ?after=voicemail say which verb ran.
  base::Async<net::Response> resume(net::Request request);
  /// POST /api/twilio/voice-fallback: Twilio could not use one of our answers; the agent's fallback speaks.
  base::Async<net::Response> fallback(net::Request request);
  /// POST /api/twilio/status-callback: call progress.
  base::Async<net::Response> status(net::Request request);

 private:
  /// The form of a request that Twilio signed, or the refusal to answer it with.
  std::expected<net::Form, net::Response> authentic(net::Request const& request);
  base::Async<net::Response> answer(VoiceWebhook webhook, bool may_be_known_to_database);
  net::Response begin(VoiceWebhook const& webhook, std::size_t home, std::optional<crm::CallRecord> earlier);
  net::Response take_step(Call const& call, std::size_t home, NextStep const& step);
  net::Response without_agent(NextStep const& step, std::string const& our_number);
  net::Response connect(Call const& call, std::size_t home, std::chrono::seconds pause);

  VoiceServices services_;
};

}  // namespace gateway::twilio
