#pragma once
// What all simulated calls of one carrier share, and what they write into.
#include <span>
#include <string>
#include <unordered_map>

#include "gateway/base/async.h"
#include "gateway/base/secret.h"
#include "gateway/base/time_source.h"
#include "gateway/net/http_client.h"
#include "gateway/net/websocket.h"
#include "loadtest/sim/twilio/plan.h"
#include "loadtest/sim/twilio/result.h"

namespace sim::twilio {

using Clock = base::TimeSource::Clock;

struct Account {
  std::string sid;               ///< "AC" + 32 hex digits.
  base::Secret auth_token;       ///< Signs everything and opens the REST twin.
  base::Secret secondary_token;  ///< Opens the REST twin too, never signs; empty: none.
};

/// What the call at REST looks like.
struct CallRecord {
  std::string sid;
  std::string account_sid;
  std::string parent_sid;
  std::string from;
  std::string to;
  std::string direction = "inbound";
  CallStatus status = CallStatus::queued;
  base::TimeSource::Wall created;
  base::TimeSource::Wall updated;
  std::optional<base::TimeSource::Wall> started;  ///< Answered.
  std::optional<base::TimeSource::Wall> ended;
};

struct Exchange {
  asio::any_io_executor executor;
  Account account;
  net::HttpClient& http;
  net::TlsClient& tls;
  std::string rest_base;  ///< "http://127.0.0.1:PORT" of the REST twin, for recording URLs.
  std::unordered_map<std::string, std::string> recordings;  ///< Sid to file image, served by the REST twin.
};

/// "CA", "MZ", … and 32 random hex digits.
std::string new_sid(std::string_view prefix);

/// "Sun, 25 Mar 2018 09:53:19 +0000", the form of times in REST and in call progress callbacks.
std::string rfc2822(base::TimeSource::Wall when);

/// `reference` as seen from the document at `base`.
std::string resolve_url(std::string_view base, std::string_view reference);

/// Where to connect for `url`: itself, or its place at the origin of `plan.voice_url` when it lies under
/// `plan.public_base`.
std::string reachable_url(CallPlan const& plan, std::string_view url);

/// The URL as the gateway knows it: the opposite of `reachable_url`.
std::string public_url(CallPlan const& plan, std::string_view url);

/// One call's timeline and violations.
class Journal {
 public:
  Journal(std::string call_sid, CallResult& result, Listener const& listener)
      : call_sid_{std::move(call_sid)}, result_{result}, listener_{listener}, began_{Clock::now()} {}

  Clock::time_point began() const { return began_; }
  void note(EventKind kind, std::string detail = {}, double ms = 0);
  void violate(int code, std::string what);
  /// Puts audio where it sounded on the call's time axis; silence fills the gaps.
  void heard(Clock::time_point when, std::span<std::uint8_t const> mulaw);
  CallResult& result() { return result_; }

 private:
  std::string call_sid_;
  CallResult& result_;
  Listener const& listener_;
  Clock::time_point began_;
};

inline double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace sim::twilio
