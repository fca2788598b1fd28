// How a call gets its documents; the verbs are in sim_call_verbs.cpp.
#include <fmt/format.h>

#include "loadtest/sim/twilio/sim_call.h"

namespace sim::twilio {

using namespace asio::experimental::awaitable_operators;

base::Async<std::optional<WebhookAnswer>> SimCall::ask(Go const& go, Violation& violation) {
  auto form = params();
  form.insert(form.end(), go.params.begin(), go.params.end());
  shuffle(form, random_);
  bool const is_first = !result_.webhook_ms;
  auto outcome = co_await (request_webhook(exchange_, plan_, go.method, go.url, std::move(form)) || interrupted());
  auto const state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) interrupt(Interruption::shut_down);
  if (outcome.index() == 1 || interruption_ != Interruption::none) co_return std::nullopt;
  auto& answer = std::get<0>(outcome);
  if (!answer) {
    violation = answer.error();
    co_return std::nullopt;
  }
  if (is_first) result_.webhook_ms = answer->ms;
  journal_.note(EventKind::webhook_answered, is_first ? "webhook" : "document request", answer->ms);
  co_return std::move(*answer);
}

std::optional<SimCall::Page> SimCall::read_page(std::string url, std::string method, std::string_view body,
                                                Violation& violation) {
  auto document = parse_document(body);
  if (!document) {
    violation = document.error();
    return std::nullopt;
  }
  for (auto const& warning : document->warnings) journal_.violate(warning.code, warning.what);
  return Page{std::move(url), std::move(method), std::move(*document)};
}

base::Async<std::optional<SimCall::Page>> SimCall::fetch_once(Go const& go, Violation& violation) {
  auto answer = co_await ask(go, violation);
  if (!answer) co_return std::nullopt;
  auto const kind = body_kind(answer->content_type);
  if (kind == Body::unacceptable) {
    violation = {12300, "content type \"" + answer->content_type + "\" is neither TwiML, text nor audio"};
    co_return std::nullopt;
  }
  if (kind == Body::audio) {
    Page page{answer->url, go.method, {}};
    page.document.verbs.emplace_back(Play{answer->url, 1, {}});
    co_return page;
  }
  auto page = read_page(answer->url, go.method, answer->body, violation);
  if (!page && kind == Body::text) {
    page = Page{answer->url, go.method, {}};
    page->document.verbs.emplace_back(Say{answer->body, 1});
  }
  co_return page;
}

/// The document at `go`, else the one at the fallback URL. What went wrong on the way is in the journal.
base::Async<std::optional<SimCall::Page>> SimCall::fetch(Go go) {
  Violation violation;
  auto page = co_await fetch_once(go, violation);
  if (page || interruption_ != Interruption::none) co_return page;
  journal_.violate(violation.code, violation.what);
  if (plan_.fallback_url.empty()) co_return std::nullopt;
  Go fallback{plan_.fallback_method,
              plan_.fallback_url,
              {{"ErrorCode", std::to_string(violation.code)}, {"ErrorUrl", public_url(plan_, go.url)}}};
  page = co_await fetch_once(fallback, violation);
  if (!page && interruption_ == Interruption::none) journal_.violate(violation.code, violation.what);
  co_return page;
}

/// Runs the verbs in order. The call is over when the last one has ended.
base::Async<SimCall::Next> SimCall::play(Page const& page) {
  for (auto const& verb : page.document.verbs) {
    auto next = co_await perform(page, verb);
    if (interruption_ != Interruption::none) co_return Over{};
    if (!std::holds_alternative<Stay>(next)) co_return next;
  }
  result_.ending = CallEnding::hung_up_by_document;
  co_return Over{};
}

SimCall::Next SimCall::follow(Page const& page, std::string const& action, std::string const& method, net::Form extra) {
  if (action.empty()) return Stay{};
  return Go{method, resolve_url(page.url, action), std::move(extra)};
}

}  // namespace sim::twilio
