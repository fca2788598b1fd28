#pragma once
#include <string>

#include "crm/outbox/sms.h"
#include "gateway/net/http_client.h"
#include "gateway/twilio/accounts.h"

namespace gateway::twilio {

/// Text messages by Twilio's REST API (2010-04-01, Messages resource). Any thread.
class Sms final : public crm::SmsSender {
 public:
  /// `api_base` without a trailing slash. `status_callback` is where Twilio tells what became of a message; empty:
  /// nowhere.
  Sms(net::HttpClient& http, Accounts const& accounts, std::string api_base, std::string status_callback,
      base::TimeSource& time)
      : http_{http},
        accounts_{accounts},
        api_base_{std::move(api_base)},
        status_callback_{std::move(status_callback)},
        time_{time} {}

  base::Async<crm::Delivered<crm::Receipt>> send(crm::SmsText message, base::Instant deadline) override;
  base::Async<crm::Delivered<std::vector<std::string>>> sent_since(crm::SmsText message, crm::Wall since,
                                                                   base::Instant deadline) override;

 private:
  base::Async<crm::Delivered<net::Response>> ask(net::HttpCall call, base::AccountSid account, base::Instant deadline);
  base::Async<crm::Delivered<std::string>> page(std::string path, base::AccountSid account, base::Instant deadline);

  net::HttpClient& http_;
  Accounts const& accounts_;
  std::string api_base_;
  std::string status_callback_;
  base::TimeSource& time_;
};

/// What Twilio's answer means when it is no 2xx. Pure.
crm::DeliveryFault sms_fault(net::Response const& answer, crm::Wall now);

}  // namespace gateway::twilio
