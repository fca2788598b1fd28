#include "crm/adapters/hubspot/fault.h"

#include <algorithm>
#include <charconv>

namespace crm::hubspot {
namespace {

using Kind = DeliveryFault::Kind;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds longest_pause = 24h;

std::optional<milliseconds> milliseconds_in(std::string_view text, milliseconds unit) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0) return {};
  if (number > longest_pause / unit) return longest_pause;
  return number * unit;
}

std::optional<milliseconds> retry_after(net::Response const& response) {
  return milliseconds_in(response.headers.find("Retry-After"), 1s);
}

/// 429 has no Retry-After as a rule: which limit it was says how long.
milliseconds pause_for(std::string_view policy, net::Response const* response, milliseconds rest_of_day) {
  if (policy == "DAILY") return rest_of_day;
  if (policy == "SECONDLY") return 1s;
  if (!response) return 10s;
  auto const interval = milliseconds_in(response->headers.find("X-HubSpot-RateLimit-Interval-Milliseconds"), 1ms);
  return interval.value_or(10s);
}

std::string list(std::set<std::string> const& names) {
  std::string text;
  for (auto const& name : names) {
    if (text.size() > 300) return text + ", …";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

DeliveryFault unauthorized(Refusal const& refusal) {
  bool const expired = refusal.category == "EXPIRED_AUTHENTICATION";
  return {.kind = Kind::needs_reauth,
          .detail = expired ? "the access token has expired" : "HubSpot does not know the token"};
}

DeliveryFault forbidden(Refusal const& refusal) {
  if (refusal.category != "MISSING_SCOPES") return {.kind = Kind::rejected, .detail = "HubSpot does not allow this"};
  DeliveryFault fault{.kind = Kind::needs_reauth, .detail = "the token lacks scopes"};
  if (!refusal.missing_scopes.empty()) fault.detail += ": " + list(refusal.missing_scopes);
  return fault;
}

DeliveryFault rejected(Refusal const& refusal) {
  DeliveryFault fault{.kind = Kind::rejected, .detail = "HubSpot refused the record"};
  if (!refusal.category.empty()) fault.detail += " (" + refusal.category + ")";
  if (!refusal.bad_properties.empty()) fault.detail += ", properties: " + list(refusal.bad_properties);
  if (!refusal.bad_values.empty()) fault.detail += ", because: " + list(refusal.bad_values);
  return fault;
}

DeliveryFault down(Effect effect) {
  if (effect == Effect::write) return {.kind = Kind::ambiguous, .detail = "HubSpot failed on the way"};
  return {.kind = Kind::unavailable, .detail = "HubSpot is unavailable"};
}

DeliveryFault fault_of(int status, Refusal const& refusal, net::Response const& response, Effect effect,
                       milliseconds rest_of_day) {
  auto const wait = retry_after(response);
  if (status == 401) return unauthorized(refusal);
  if (status == 403) return forbidden(refusal);
  if (status == 404) return {.kind = Kind::rejected, .detail = "there is no such thing in HubSpot"};
  if (status == 423)  // held for two seconds
    return {.kind = Kind::unavailable, .detail = "the record is locked", .retry_after = wait.value_or(2s)};
  if (status == 429) {
    auto const pause = pause_for(refusal.policy, &response, rest_of_day);
    return {.kind = Kind::rate_limited,
            .detail = refusal.policy.empty() ? "too many requests" : "too many requests: " + refusal.policy,
            .retry_after = std::max(pause, wait.value_or(0ms))};
  }
  if (status == 477)
    return {.kind = Kind::unavailable, .detail = "the account is being moved", .retry_after = wait.value_or(1h)};
  if (status >= 500 || status == 408) {
    auto fault = down(effect);
    fault.retry_after = wait;
    return fault;
  }
  if (status >= 400) return rejected(refusal);
  return {.kind = Kind::rejected, .detail = "an answer that HubSpot does not give"};
}

}  // namespace

milliseconds until_midnight(Wall now, std::optional<std::chrono::minutes> utc_offset) {
  if (!utc_offset) return 1h;
  auto const local = now + *utc_offset;
  auto const tomorrow = std::chrono::floor<std::chrono::days>(local) + std::chrono::days{1};
  return std::chrono::ceil<milliseconds>(tomorrow - local);
}

Denial denial_of(net::Response const& response, Effect effect, milliseconds rest_of_day) {
  auto refusal = decode_refusal(response.body);
  int const status = static_cast<int>(response.status);
  auto fault = fault_of(status, refusal, response, effect, rest_of_day);
  fault.http_status = status;
  fault.request_id = refusal.request_id;
  return {std::move(fault), std::move(refusal)};
}

Denial denial_of(Refusal refusal, int status, milliseconds rest_of_day) {
  DeliveryFault fault;
  bool const is_final = refusal.category == "VALIDATION_ERROR" || refusal.category == "CONFLICT" ||
                        refusal.category == "OBJECT_NOT_FOUND" || !refusal.bad_properties.empty();
  if (refusal.category.starts_with("RATE_LIMIT"))
    fault = {.kind = Kind::rate_limited,
             .detail = "too many requests",
             .retry_after = pause_for(refusal.policy, nullptr, rest_of_day)};
  else if (is_final)
    fault = rejected(refusal);
  else
    fault = {.kind = Kind::unavailable, .detail = "HubSpot did not write the record"};
  fault.http_status = status;
  fault.request_id = refusal.request_id;
  return {std::move(fault), std::move(refusal)};
}

Denial denial_of(base::Error const& error, Effect effect) {
  // libcurl's words, in all its versions, for a connection that never came about. Should they change, a look-up more
  // is all it costs.
  bool const never_met = error.detail.find("connect to server") != std::string::npos ||
                         error.detail.find("resolve host") != std::string::npos;
  if (error.fault == base::Fault::protocol)
    return {{.kind = Kind::needs_reauth, .detail = "the token holds a character that cannot be sent"}, {}};
  if (error.fault == base::Fault::refused)
    return {{.kind = Kind::rejected, .detail = "requests may not go to that address"}, {}};
  if (effect == Effect::read || (error.fault == base::Fault::unavailable && never_met))
    return {{.kind = Kind::not_sent, .detail = "no answer from HubSpot: " + std::string{to_string(error.fault)}},
            {},
            error.fault == base::Fault::too_large};
  return {{.kind = Kind::ambiguous, .detail = "no answer from HubSpot: " + std::string{to_string(error.fault)}}, {}};
}

Denial unreadable(int status, Effect effect) {
  DeliveryFault fault{.kind = effect == Effect::write ? Kind::ambiguous : Kind::unavailable,
                      .detail = "HubSpot's answer is cut off or no JSON"};
  fault.http_status = status;
  return {std::move(fault), {}};
}

}  // namespace crm::hubspot
