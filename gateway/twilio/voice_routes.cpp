#include "gateway/twilio/voice_routes.h"

#include <boost/asio/co_spawn.hpp>

#include "gateway/twilio/media_door.h"
#include "twiml/answers.h"

namespace gateway::twilio {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::string_view sorry_unknown = "We are sorry, this number is not in service. Goodbye.";
constexpr std::string_view sorry_inactive =
    "We are sorry, nobody can take your call right now. Please try again later.";
constexpr std::string_view sorry_busy = "All our lines are busy at the moment. Please call again in a few minutes.";
constexpr std::string_view sorry_trouble = "We are sorry, we cannot take your call right now. Please call again later.";
constexpr std::string_view voicemail_prompt =
    "We are sorry, nobody can speak with you right now. Please leave a message after the tone.";
constexpr std::string_view voicemail_thanks = "Thank you. We will call you back. Goodbye.";

net::Response twiml_response(twiml::Document const& document) {
  return net::Response::with(200, "text/xml; charset=utf-8", document.xml());
}

std::string query_value(std::string_view query, std::string_view name) {
  auto const form = net::decode_form(query);
  return form ? std::string{net::find(*form, name)} : std::string{};
}

DialEnd dial_end(DialResult const& result) {
  if (!result.status) return DialEnd::failed;
  switch (*result.status) {
    case DialStatus::completed:
    case DialStatus::answered:
      return result.connected() ? DialEnd::completed : DialEnd::no_answer;
    case DialStatus::busy:
      return DialEnd::busy;
    case DialStatus::no_answer:
      return DialEnd::no_answer;
    case DialStatus::failed:
      return DialEnd::failed;
    case DialStatus::canceled:
      return DialEnd::canceled;
  }
  return DialEnd::failed;
}

NextStep fallback_of(crm::VoiceAgent const& agent) {
  switch (agent.fallback) {
    case crm::FallbackKind::forward:
      if (agent.fallback_number) return {NextStep::Do::forward, *agent.fallback_number};
      break;
    case crm::FallbackKind::voicemail:
      return {NextStep::Do::voicemail, {}};
    case crm::FallbackKind::apology:
      break;
  }
  return {NextStep::Do::apologise, {}};
}

crm::CallStatus to_record_status(CallStatus status) {
  return crm::call_status_from(to_string(status)).value_or(crm::CallStatus::in_progress);
}

}  // namespace

VoiceMetrics::VoiceMetrics(base::Metrics& m)
    : all{m},
      forged{m.counter("switchboard_webhooks_forged_total", "Requests to Twilio routes without a right signature.")},
      answer_seconds{m.histogram("switchboard_webhook_answer_seconds", "Voice webhook to TwiML.",
                                 {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1})} {}

prometheus::Counter& VoiceMetrics::answered(std::string_view how) {
  return all.counter("switchboard_voice_answers_total", "Voice webhooks by what was answered.",
                     {{"how", std::string{how}}});
}

std::expected<net::Form, net::Response> VoiceRoutes::authentic(net::Request const& request) {
  auto const signature = request.headers.find("X-Twilio-Signature");
  if (signature.empty()) {
    services_.metrics.forged.Increment();
    return std::unexpected{net::error_response(403, "FORBIDDEN", "the signature is missing or wrong")};
  }
  auto const type = request.headers.find("Content-Type");
  if (!request.body.empty() && !type.starts_with("application/x-www-form-urlencoded"))
    return std::unexpected{net::error_response(400, "BAD_REQUEST", "a form body is expected")};
  auto form = net::decode_form(request.body);
  if (!form) return std::unexpected{net::error_response(400, "BAD_REQUEST", "the form body cannot be read")};
  auto const tokens = services_.accounts.tokens(claimed_account(*form));
  if (!services_.verifier.verify_form(tokens, request.target, *form, signature)) {
    services_.metrics.forged.Increment();
    return std::unexpected{net::error_response(403, "FORBIDDEN", "the signature is missing or wrong")};
  }
  return std::move(*form);
}

base::Async<net::Response> VoiceRoutes::voice(net::Request request) {
  auto const begun = services_.time.now();
  auto form = authentic(request);
  if (!form) co_return std::move(form.error());
  if (is_progress_event(*form)) co_return net::Response::empty(204);
  auto webhook = decode_voice_webhook(*form, request.headers.find("I-Twilio-Idempotency-Token"));
  if (!webhook) co_return net::error_response(400, "BAD_REQUEST", "not a voice webhook");
  auto response = co_await answer(std::move(*webhook), /*may_be_known_to_database=*/false);
  services_.metrics.answer_seconds.Observe(std::chrono::duration<double>(services_.time.now() - begun).count());
  co_return response;
}

base::Async<net::Response> VoiceRoutes::answer(VoiceWebhook webhook, bool may_be_known_to_database) {
  auto const home = services_.homes.index_of(webhook.call_sid);
  auto const executor = services_.homes.at(home).executor;
  auto const at_home = [this, &webhook, home, may_be_known_to_database]() -> base::Async<net::Response> {
    std::optional<crm::CallRecord> earlier;
    auto& calls = *services_.homes.at(home).calls;
    if (may_be_known_to_database && !calls.find(webhook.call_sid) && services_.records.find)
      earlier = co_await services_.records.find(webhook.call_sid);
    co_return begin(webhook, home, std::move(earlier));
  };
  auto response = co_await asio::co_spawn(executor, at_home(), asio::use_awaitable);
  co_return response;
}

/// On the call's own core: finds or begins the call and says how its media stream comes to us.
net::Response VoiceRoutes::begin(VoiceWebhook const& webhook, std::size_t home,
                                 std::optional<crm::CallRecord> earlier) {
  auto& calls = *services_.homes.at(home).calls;
  if (auto* const running = calls.find(webhook.call_sid)) {
    if (running->is_over()) return twiml_response(twiml::sorry_and_hang_up(""));
    return connect(*running, home, running->plan().route->agent.start_pause);
  }
  bool const ended = calls.ended_lately(webhook.call_sid) || (earlier && crm::is_terminal(earlier->status));
  if (ended) return twiml_response(twiml::sorry_and_hang_up(""));
  bool const outbound = webhook.direction == Direction::outbound;
  auto const route = services_.routing.table()->find(outbound ? webhook.from : webhook.to);
  if (!route) {
    services_.metrics.answered("unknown_number").Increment();
    services_.log.warning("call to a number nobody has", {{"to", base::masked_phone(webhook.to)}});
    return twiml_response(twiml::sorry_and_hang_up(sorry_unknown));
  }
  if (!route->agent.active || !route->tenant_active) {
    services_.metrics.answered("inactive").Increment();
    return twiml_response(twiml::sorry_and_hang_up(sorry_inactive));
  }
  CallPlan plan;
  plan.id = earlier ? earlier->id : base::CallId{base::new_id("call")};
  plan.sid = webhook.call_sid;
  plan.account = webhook.account_sid;
  plan.direction = outbound ? crm::CallDirection::outbound : crm::CallDirection::inbound;
  plan.from = webhook.from;
  plan.to = webhook.to;
  plan.route = route;
  plan.earlier = std::move(earlier);
  auto const begun = calls.begin(std::move(plan));
  if (!begun) {
    switch (begun.error()) {
      case Refusal::draining:
        services_.metrics.answered("draining").Increment();
        break;
      case Refusal::full:
        services_.metrics.answered("full").Increment();
        break;
      case Refusal::tenant_full:
        services_.metrics.answered("tenant_full").Increment();
        break;
      case Refusal::overloaded:
        services_.metrics.answered("overloaded").Increment();
        break;
    }
    return twiml_response(twiml::sorry_and_hang_up(sorry_busy));
  }
  services_.metrics.answered("connected").Increment();
  return connect(**begun, home, route->agent.start_pause);
}

net::Response VoiceRoutes::connect(Call const& call, std::size_t home, std::chrono::seconds pause) {
  TicketClaims claims{call.plan().route->tenant, call.plan().sid, services_.node};
  twiml::StreamAnswer answer;
  answer.stream_url = services_.stream_base_url + media_path(home);
  answer.ticket = services_.tickets.issue(std::move(claims), services_.time.wall());
  answer.resume_url = services_.public_base_url + "/api/twilio/voice-resume";
  answer.pause = pause;
  auto const document = twiml::connect_stream(std::move(answer));
  if (!document) {
    services_.log.error("no TwiML for a call", {{"error", document.error().detail}});
    return twiml_response(twiml::sorry_and_hang_up(sorry_trouble));
  }
  return twiml_response(*document);
}

net::Response VoiceRoutes::take_step(Call const& call, std::size_t home, NextStep const& step) {
  if (step.what == NextStep::Do::stream) return connect(call, home, std::chrono::seconds{0});
  return without_agent(step, call.plan().our_number());
}

net::Response VoiceRoutes::without_agent(NextStep const& step, std::string const& our_number) {
  auto const back = services_.public_base_url + "/api/twilio/voice-resume?after=";
  switch (step.what) {
    case NextStep::Do::stream:
      break;
    case NextStep::Do::hang_up:
      return twiml_response(twiml::sorry_and_hang_up(""));
    case NextStep::Do::apologise:
      return twiml_response(twiml::sorry_and_hang_up(sorry_trouble));
    case NextStep::Do::forward: {
      auto const document = twiml::forward_to(step.number, back + "dial", our_number);
      if (document) return twiml_response(*document);
      break;
    }
    case NextStep::Do::voicemail: {
      auto const document = twiml::take_voicemail(voicemail_prompt, back + "voicemail");
      if (document) return twiml_response(*document);
      break;
    }
  }
  return twiml_response(twiml::sorry_and_hang_up(sorry_trouble));
}

base::Async<net::Response> VoiceRoutes::resume(net::Request request) {
  auto form = authentic(request);
  if (!form) co_return std::move(form.error());
  if (is_progress_event(*form)) co_return net::Response::empty(204);
  auto webhook = decode_voice_webhook(*form);
  if (!webhook) co_return net::error_response(400, "BAD_REQUEST", "not a voice webhook");
  auto const after = query_value(request.query(), "after");
  auto const dial = decode_dial_result(*form);
  auto const home = services_.homes.index_of(webhook->call_sid);
  auto const executor = services_.homes.at(home).executor;
  auto const at_home = [&]() -> base::Async<std::optional<net::Response>> {
    auto* const call = services_.homes.at(home).calls->find(webhook->call_sid);
    if (!call || call->is_over()) co_return std::nullopt;
    if (after == "dial" && dial) co_return take_step(*call, home, call->after_dial(dial_end(*dial)));
    if (after == "voicemail") {
      call->after_voicemail();
      co_return twiml_response(twiml::sorry_and_hang_up(voicemail_thanks));
    }
    co_return take_step(*call, home, call->next_step());
  };
  auto known = co_await asio::co_spawn(executor, at_home(), asio::use_awaitable);
  if (known) co_return std::move(*known);
  // Not in this process's memory: it ended, or the process that served it is gone. Only the end of a stream is taken up
  // again.
  if (!after.empty()) co_return twiml_response(twiml::sorry_and_hang_up(after == "voicemail" ? voicemail_thanks : ""));
  auto response = co_await answer(std::move(*webhook), /*may_be_known_to_database=*/true);
  co_return response;
}

base::Async<net::Response> VoiceRoutes::fallback(net::Request request) {
  auto form = authentic(request);
  if (!form) co_return std::move(form.error());
  auto const webhook = decode_voice_webhook(*form);
  services_.metrics.answered("fallback").Increment();
  services_.log.error("Twilio could not use an answer", {{"call_sid", webhook ? webhook->call_sid.text() : ""},
                                                         {"error_code", net::find(*form, "ErrorCode")}});
  if (!webhook) co_return twiml_response(twiml::sorry_and_hang_up(sorry_trouble));
  bool const outbound = webhook->direction == Direction::outbound;
  auto const& our_number = outbound ? webhook->from : webhook->to;
  auto const route = services_.routing.table()->find(our_number);
  if (!route) co_return twiml_response(twiml::sorry_and_hang_up(sorry_trouble));
  co_return without_agent(fallback_of(route->agent), our_number);
}

base::Async<net::Response> VoiceRoutes::status(net::Request request) {
  auto form = authentic(request);
  if (!form) co_return std::move(form.error());
  auto const callback = decode_status_callback(*form);
  if (!callback) co_return net::error_response(400, "BAD_REQUEST", "not a status callback");
  // Legs that a <Dial> rang report too; the call is its parent.
  if (!callback->status || !callback->parent_call_sid.empty()) co_return net::Response::empty(204);
  auto const status = to_record_status(*callback->status);
  auto const sid = callback->call_sid;
  auto const duration = callback->duration;
  auto const& home = services_.homes.of(sid);
  auto const at_home = [&]() -> base::Async<> {
    auto* const call = home.calls->find(sid);
    if (call) call->on_status(status, duration);
    // One that has just ended here has its last record on the way: closing the row meanwhile would overrule its ending.
    else if (crm::is_terminal(status) && !home.calls->ended_lately(sid) && services_.records.close)
      services_.records.close(sid, status);
    co_return;
  };
  co_await asio::co_spawn(home.executor, at_home(), asio::use_awaitable);
  co_return net::Response::empty(204);
}

}  // namespace gateway::twilio
