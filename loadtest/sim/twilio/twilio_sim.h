#pragma once
#include <memory>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/net/http_server.h"
#include "loadtest/sim/twilio/call_book.h"
#include "loadtest/sim/twilio/control.h"
#include "loadtest/sim/twilio/rest_twin.h"

namespace sim::twilio {

struct TwilioSimSettings {
  Account account;
  std::filesystem::path authority;  ///< PEM; trusted beside the system's, for a gateway with a certificate of its own.
  double calls_per_second = 1;      ///< How fast calls created by REST leave the queue.
  CallPlan outbound;                ///< How the callees of such calls behave.
};

/// A carrier with one account: places calls to a gateway as Twilio does, and answers its REST requests about them.
/// Lives on the one thread of `executor`, in real time.
///
///   TwilioSim carrier{io.get_executor(), base::Log::silent(), {.account = {sid, token}}};
///   auto port = carrier.listen("127.0.0.1", 0);               // TWILIO_API_BASE_URL of the gateway
///   asio::co_spawn(io, carrier.serve(), …);
///   CallResult result = co_await carrier.place_call({.voice_url = "http://127.0.0.1:3000/api/twilio/voice-callback",
///   …}); carrier.stop(); co_await carrier.drain(1s);
class TwilioSim {
 public:
  TwilioSim(asio::any_io_executor executor, base::Log log, TwilioSimSettings settings);
  TwilioSim(TwilioSim const&) = delete;
  TwilioSim& operator=(TwilioSim const&) = delete;

  /// Binds REST twin and control endpoint. Port 0 takes a free one. Returns the port. Throws
  /// boost::system::system_error.
  std::uint16_t listen(std::string const& address, std::uint16_t port);
  /// Answers requests and dials queued calls until stop() or cancellation.
  base::Async<> serve();
  void stop();
  /// Waits for calls and connections, at most `grace` each, then ends them.
  base::Async<> drain(Clock::duration grace);

  /// One call from its first ring to its last callback. May be awaited many times at once. `listener` hears its events.
  base::Async<CallResult> place_call(CallPlan plan, Listener listener = {});

  CallBook& calls() { return calls_; }
  RestTwin& rest() { return rest_; }
  /// Both forms of address of the REST twin: "http://127.0.0.1:PORT".
  std::string const& base_url() const { return exchange_.rest_base; }

 private:
  base::Async<> until_stopped();

  base::SystemTime time_;
  base::Log log_;
  base::Metrics metrics_;
  std::shared_ptr<net::TlsClient> tls_;
  net::HttpClient http_;
  Exchange exchange_;
  CallBook calls_;
  RestTwin rest_;
  Control control_;
  net::Router router_;
  net::HttpServer server_;
  asio::steady_timer stop_bell_;
  bool stopped_ = false;
};

}  // namespace sim::twilio
