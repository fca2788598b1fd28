#pragma once
#include <string>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/call/carrier.h"
#include "gateway/net/form.h"
#include "gateway/net/http_client.h"
#include "gateway/twilio/accounts.h"

namespace gateway::twilio {

/// Twilio's REST API, as much of it as a live call needs (2010-04-01, Calls resource). Any thread.
class Rest final : public Carrier {
 public:
  /// `public_base` is where Twilio finds us again after a transfer, `api_base` without a trailing slash.
  Rest(net::HttpClient& http, Accounts const& accounts, std::string api_base, std::string public_base,
       base::Metrics& metrics, base::Log log);

  base::Async<base::Result<>> hang_up(CarrierCall call) override;
  base::Async<base::Result<>> transfer(CarrierCall call, std::string number, std::string caller_id) override;
  base::Async<base::Result<CarrierFacts>> look_up(CarrierCall call) override;

 private:
  base::Async<base::Result<std::string>> request(std::string method, CarrierCall call, net::Form form);

  net::HttpClient& http_;
  Accounts const& accounts_;
  std::string api_base_;
  std::string public_base_;
  base::Log log_;
  prometheus::Counter& failures_;
};

}  // namespace gateway::twilio
