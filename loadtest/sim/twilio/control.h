#pragma once
// The operator's door to a running simulator, on the same loopback port as the REST twin:
//
//   POST   /sim/calls             a plan (plan_json.h) -> 201 {"sid"}; the call starts at once. Without "voice_url" the
//                                 VoiceUrl of the account's number "to" is used.
//   GET    /sim/calls/CA…?since=N -> {"events":[…],"next":N,"done":bool,"result":{…}|null}
//   GET    /sim/calls/CA…/heard.wav   what the caller heard, once the call is done
//   POST   /sim/calls/CA…/dtmf    {"keys":"1#"}
//   DELETE /sim/calls/CA…         the caller hangs up
//   POST   /sim/faults            {"status":429,"times":2,"delay_ms":0,"path":"/Calls"}
//   POST   /sim/numbers           {"phone_number","voice_url","status_callback",…}
//   GET    /sim/health            {"live_calls","rest_requests"}
//
// It needs no password: it listens on loopback and takes only application/json, which no web page may post across
// origins.
#include "gateway/net/http.h"
#include "loadtest/sim/twilio/call_book.h"
#include "loadtest/sim/twilio/rest_twin.h"

namespace sim::twilio {

class Control {
 public:
  Control(CallBook& calls, RestTwin& rest) : calls_{calls}, rest_{rest} {}

  /// Any request under /sim/.
  net::Response answer(net::Request const& request);

 private:
  net::Response start_call(net::Request const& request);
  net::Response add_number(net::Request const& request);
  net::Response follow(CallEntry const& entry, std::string_view query) const;
  net::Response on_call(std::string_view rest_of_path, net::Request const& request);

  CallBook& calls_;
  RestTwin& rest_;
};

}  // namespace sim::twilio
