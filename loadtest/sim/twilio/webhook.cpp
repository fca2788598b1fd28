#include "loadtest/sim/twilio/webhook.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/base/ids.h"
#include "gateway/net/url.h"

namespace sim::twilio {
namespace {

using namespace std::chrono_literals;

constexpr auto total_limit = 15000ms;
constexpr auto connect_limit = 5000ms;
constexpr int redirect_limit = 10;

std::string without_fragment(std::string_view url) {
  return std::string{url.substr(0, url.find('#'))};
}

std::string token_for(Exchange const& exchange, Signing signing) {
  return signing == Signing::wrong_token ? std::string(32, 'f') : std::string{exchange.account.auth_token.reveal()};
}

net::HttpCall build(Exchange const& exchange, CallPlan const& plan, std::string const& method, std::string const& url,
                    net::Form const& params, std::string const& idempotency) {
  net::HttpCall call;
  call.method = method;
  std::string shown = public_url(plan, url);  // what the gateway believes to be asked for
  std::string target = reachable_url(plan, url);
  std::string signature;
  auto const token = token_for(exchange, plan.webhook_signing);
  if (method == "GET") {
    std::string const query =
        params.empty() ? "" : (url.find('?') == std::string::npos ? "?" : "&") + net::encode_form(params);
    shown += query;
    target += query;
    signature = sign(token, signed_url(shown));
  } else {
    signature = sign(token, signed_url(shown), params);
    call.body = net::encode_form(params);
    call.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
  }
  auto const parsed = net::parse_url(target);
  if (parsed && !parsed->userinfo.empty()) {
    auto const colon = std::min(parsed->userinfo.find(':'), parsed->userinfo.size());
    auto const password = colon < parsed->userinfo.size() ? parsed->userinfo.substr(colon + 1) : std::string{};
    call.basic_auth.emplace(parsed->userinfo.substr(0, colon), base::Secret{password});
  }
  call.url = std::move(target);
  if (plan.webhook_signing != Signing::none) call.headers.add("X-Twilio-Signature", signature);
  call.headers.add("I-Twilio-Idempotency-Token", idempotency);
  call.headers.add("User-Agent", "TwilioProxy/1.1");
  call.headers.add("Accept", "*/*");
  // One that is kept may belong to a gateway that was killed since; nobody could say then whether it heard the request.
  call.headers.add("Connection", "close");
  call.connect_timeout = connect_limit;
  return call;
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// A connection that never stood may be tried again; anything later may not, since the request may have been heard.
bool never_connected(base::Error const& error, double ms) {
  if (error.fault == base::Fault::timed_out) return ms < 14000 && ms >= 4900;
  return error.fault == base::Fault::unavailable && (error.detail.find("connect to server") != std::string::npos ||
                                                     error.detail.find("resolve host") != std::string::npos);
}

}  // namespace

base::Async<std::expected<WebhookAnswer, Violation>> request_webhook(Exchange& exchange, CallPlan const& plan,
                                                                     std::string method, std::string url,
                                                                     net::Form params) {
  url = without_fragment(url);
  if (!net::parse_url(url)) co_return std::unexpected{Violation{11100, "not an absolute URL"}};
  auto const began = Clock::now();
  std::array<std::uint8_t, 16> random{};
  base::fill_random(random);
  auto const idempotency = base::to_hex(random);
  int redirects = 0;
  int connect_tries = 0;
  for (;;) {
    auto call = build(exchange, plan, method, url, params, idempotency);
    auto const attempt_began = Clock::now();
    auto const left = total_limit - std::chrono::duration_cast<Millis>(attempt_began - began);
    if (left <= 0ms) co_return std::unexpected{Violation{11200, "no answer within 15 s"}};
    call.timeout = left;
    auto answer = co_await exchange.http.send(std::move(call));
    auto const now = Clock::now();
    if (!answer) {
      bool const retry = never_connected(answer.error(), ms_between(attempt_began, now)) && ++connect_tries < 2;
      if (retry) continue;
      int const code = answer.error().detail.find("resolve host") != std::string::npos ? 11210
                       : connect_tries > 0                                             ? 11205
                                                                                       : 11200;
      co_return std::unexpected{Violation{code, "request failed: " + answer.error().detail}};
    }
    if (is_redirect(answer->status)) {
      if (++redirects > redirect_limit) co_return std::unexpected{Violation{11215, "more than 10 redirects"}};
      url = without_fragment(resolve_url(url, answer->headers.find("location")));
      if (answer->status < 304) {
        method = "GET";
        params.clear();
      }
      continue;
    }
    if (answer->status >= 300)
      co_return std::unexpected{Violation{11200, fmt::format("answered with status {}", answer->status)}};
    co_return WebhookAnswer{url, std::string{answer->headers.find("content-type")}, std::move(answer->body),
                            answer->status, ms_between(began, now)};
  }
}

net::Form standard_params(CallRecord const& call, CallStatus status) {
  net::Form params{{"AccountSid", call.account_sid},
                   {"ApiVersion", "2010-04-01"},
                   {"CallSid", call.sid},
                   {"CallStatus", std::string{to_string(status)}},
                   {"Direction", call.direction},
                   {"From", call.from},
                   {"To", call.to},
                   {"Caller", call.from},
                   {"Called", call.to}};
  for (auto const* end : {"From", "Caller"}) {
    std::string const prefix = end;
    params.emplace_back(prefix + "City", "SAN FRANCISCO");
    params.emplace_back(prefix + "State", "CA");
    params.emplace_back(prefix + "Zip", "94105");
    params.emplace_back(prefix + "Country", "US");
  }
  for (auto const* end : {"To", "Called"}) {
    std::string const prefix = end;
    params.emplace_back(prefix + "City", "");
    params.emplace_back(prefix + "State", "CA");
    params.emplace_back(prefix + "Zip", "");
    params.emplace_back(prefix + "Country", "US");
  }
  if (!call.parent_sid.empty()) params.emplace_back("ParentCallSid", call.parent_sid);
  return params;
}

void shuffle(net::Form& params, std::mt19937& random) {
  std::shuffle(params.begin(), params.end(), random);
}

}  // namespace sim::twilio
