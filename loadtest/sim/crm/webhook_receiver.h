#pragma once
// A receiver of Standard Webhooks that takes nothing a careful one would not.
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time_source.h"
#include "gateway/net/router.h"

namespace sim::crm {

/// Befalls the next `times` requests.
struct WebhookFault {
  unsigned status = 0;  ///< 0: the connection ends without an answer.
  unsigned times = 1;
  std::optional<unsigned> retry_after;  ///< Seconds.
  std::chrono::milliseconds delay{0};   ///< Before the answer.
  bool keeps = false;                   ///< The event is taken all the same: the sender cannot know.
};

/// An event as it was taken first.
struct ReceivedEvent {
  std::string id;  ///< webhook-id.
  std::string type;
  std::string body;
  base::Instant taken_at{};
  unsigned times = 1;  ///< How often it was sent.
};

class WebhookReceiver {
 public:
  /// `secret` is "whsec_" and base64. Throws std::runtime_error when it is not.
  WebhookReceiver(base::TimeSource& time, std::string_view secret);

  /// POST /webhook; GET and DELETE /received; POST /faults. The router's handlers refer to this object.
  void add_routes(net::Router& router);
  void inject(WebhookFault fault) { faults_.push_back(fault); }

  /// In the order in which they came first.
  std::vector<ReceivedEvent> const& received() const { return received_; }
  /// Why requests were refused -> how many.
  std::map<std::string, unsigned> const& refused() const { return refused_; }
  /// Requests for an event that had been taken already.
  unsigned repeats() const;

 private:
  base::Async<net::Response> take(net::Request request);
  net::Response judge(net::Request const& request);
  net::Response refuse(unsigned status, std::string reason);
  net::Response keep(net::Request const& request, std::string type);
  net::Response list() const;
  net::Response take_fault(net::Request const& request);
  bool is_signed(net::Request const& request) const;

  base::TimeSource& time_;
  std::string key_;
  std::deque<WebhookFault> faults_;
  std::vector<ReceivedEvent> received_;
  std::map<std::string, std::size_t, std::less<>> places_;  // webhook-id -> where in received_
  std::map<std::string, unsigned> refused_;
};

}  // namespace sim::crm
