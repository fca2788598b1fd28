#pragma once
// Twilio as an HTTP client: signed, impatient, and with one second try at connecting.
#include <expected>
#include <random>
#include <string>

#include "gateway/net/form.h"
#include "loadtest/sim/twilio/exchange.h"

namespace sim::twilio {

struct WebhookAnswer {
  std::string url;  ///< After redirects, as the gateway knows it.
  std::string content_type;
  std::string body;
  unsigned status = 0;
  double ms = 0;
};

/// Sends one request by Twilio's rules: 5 s to connect, tried once more with the same idempotency token; 15 s for all
/// together; at most 10 redirects; no other retry. Any status below 300 is an answer. Otherwise a Violation: 11200
/// (status, timeout, broken answer), 11205 (no connection), 11210 (no such host), 11215 (redirects), 11100 (not a URL).
base::Async<std::expected<WebhookAnswer, Violation>> request_webhook(Exchange& exchange, CallPlan const& plan,
                                                                     std::string method, std::string url,
                                                                     net::Form params);

/// The parameters every request about a call carries, with the undocumented aliases and the empty values real ones
/// have.
net::Form standard_params(CallRecord const& call, CallStatus status);

/// Real requests have no fixed order.
void shuffle(net::Form& params, std::mt19937& random);

}  // namespace sim::twilio
