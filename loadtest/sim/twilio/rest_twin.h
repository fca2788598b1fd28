#pragma once
// Twilio's REST API 2010-04-01 as far as a voice gateway uses it, acting on the simulated calls.
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "gateway/net/form.h"
#include "gateway/net/http.h"
#include "loadtest/sim/twilio/call_book.h"

namespace sim::twilio {

/// The next `times` requests whose path contains `path` are answered after `delay`, with an error when `status` is not
/// 0.
struct RestFault {
  unsigned status = 0;  ///< 429, 500, 503…
  unsigned times = 1;
  Millis delay{0};
  std::string path;
  int code = 0;        ///< Of Twilio's catalogue; 0: what goes with the status.
  bool keeps = false;  ///< What was asked is done all the same: who asked cannot know.
  bool drops = false;  ///< The connection ends instead of an answer.
};

/// A number of the account. `fields` are its writable properties by their JSON names ("voice_url", "sms_url", …).
struct IncomingNumber {
  std::string sid;
  std::string phone_number;
  std::map<std::string, std::string> fields;
};

struct SentMessage {
  std::string sid;
  std::string from;
  std::string to;
  std::string body;
  base::TimeSource::Wall created;
  base::Instant taken_at{};
};

class RestTwin {
 public:
  /// `outbound` says how the callees of created calls behave; the request fills in the rest.
  RestTwin(Exchange& exchange, CallBook& calls, CallPlan outbound);

  /// Any request under /2010-04-01/.
  base::Async<net::Response> answer(net::Request request);

  void inject(RestFault fault) { faults_.push_back(std::move(fault)); }
  IncomingNumber& add_number(std::string phone_number);
  std::vector<IncomingNumber> const& numbers() const { return numbers_; }
  std::vector<SentMessage> const& messages() const { return messages_; }
  /// Answered STOP once: nothing may be sent to this number.
  void opt_out(std::string phone_number) { opted_out_.insert(std::move(phone_number)); }
  std::size_t requests() const { return requests_; }

 private:
  bool is_authorized(net::Request const& request) const;
  net::Response carry_out(net::Request const& request);
  net::Response route(std::string_view resource, net::Request const& request, net::Form const& form);
  net::Response calls(std::string_view item, net::Request const& request, net::Form const& form);
  net::Response create_call(net::Form const& form);
  net::Response update_call(CallEntry& entry, net::Form const& form);
  net::Response list_calls(net::Form const& query) const;
  net::Response numbers(std::string_view item, net::Request const& request, net::Form const& form);
  net::Response recordings(std::string_view item, net::Request const& request);
  net::Response messages(std::string_view item, net::Request const& request, net::Form const& form);

  Exchange& exchange_;
  CallBook& calls_;
  CallPlan outbound_;
  std::deque<RestFault> faults_;
  std::vector<IncomingNumber> numbers_;
  std::vector<SentMessage> messages_;
  std::set<std::string, std::less<>> opted_out_;
  std::size_t requests_ = 0;
};

}  // namespace sim::twilio
