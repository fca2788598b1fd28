#pragma once
#include <boost/asio/steady_timer.hpp>
#include <random>
#include <variant>

#include "loadtest/sim/twilio/callbacks.h"
#include "loadtest/sim/twilio/document.h"
#include "loadtest/sim/twilio/exchange.h"
#include "loadtest/sim/twilio/media_stream.h"
#include "loadtest/sim/twilio/webhook.h"

namespace sim::twilio {

/// What REST may do to a live call.
struct CallUpdate {
  std::optional<CallStatus> status;  ///< completed or canceled.
  std::string twiml;
  std::string url;
  std::string method = "POST";
};

/// One call from its first ring to its end. Lives on the exchange's thread.
class SimCall {
 public:
  /// `record` is what REST shows and outlives the call; so do the plan and the listener.
  SimCall(Exchange& exchange, CallPlan const& plan, CallRecord& record, Listener const& listener);

  /// Runs the call. Returns when everything has ended, its last status callback included.
  base::Async<CallResult> run();

  /// The caller (or the callee of an outbound call) hangs up.
  void hang_up() { interrupt(Interruption::hang_up); }
  /// Keys pressed by the caller, for the stream that is open now.
  void press(std::string_view keys);
  /// Fault::conflict when Twilio would answer 21220.
  base::Result<> update(CallUpdate update);

 private:
  enum class Interruption { none, new_document, hang_up, by_rest, canceled, too_long, shut_down };
  struct Stay {};  // the next verb runs
  struct Over {};  // the call is over, ending_ says why
  struct Go {      // another document takes over
    std::string method;
    std::string url;
    net::Form params;
  };
  using Next = std::variant<Stay, Over, Go>;
  struct Page {
    std::string url;
    std::string method;
    Document document;
  };

  base::Async<> conduct();
  base::Async<> script();
  base::Async<> watch_the_clock();
  base::Async<> interrupted();
  base::Async<bool> pass(Clock::duration how_long);
  void interrupt(Interruption what);
  void conclude();

  base::Async<bool> reach_callee();
  base::Async<> run_documents();
  base::Async<std::optional<Page>> fetch(Go go);
  base::Async<std::optional<Page>> fetch_once(Go const& go, Violation& violation);
  std::optional<Page> read_page(std::string url, std::string method, std::string_view body, Violation& violation);
  base::Async<std::optional<WebhookAnswer>> ask(Go const& go, Violation& violation);
  base::Async<Next> play(Page const& page);

  base::Async<Next> perform(Page const& page, Verb const& verb);
  base::Async<Next> perform(Page const& page, Say const& verb);
  base::Async<Next> perform(Page const& page, Play const& verb);
  base::Async<Next> perform(Page const& page, Pause const& verb);
  base::Async<Next> perform(Page const& page, Connect const& verb);
  base::Async<Next> perform(Page const& page, Dial const& verb);
  base::Async<Next> perform(Page const& page, Record const& verb);
  base::Async<Next> perform(Page const& page, Gather const& verb);
  base::Async<bool> prompt(Page const& page, Gather const& verb);

  void answer();
  void post_progress(CallStatus status, std::string_view event);
  void post_stream_event(Page const& page, Stream const& stream, std::string const& stream_sid, std::string_view event,
                         std::string error);
  net::Form params();
  Next follow(Page const& page, std::string const& action, std::string const& method, net::Form extra);

  Exchange& exchange_;
  CallPlan const& plan_;
  CallRecord& record_;
  CallResult result_;
  Journal journal_;
  Callbacks callbacks_;
  std::mt19937 random_;
  asio::steady_timer bell_;   // rung to end a pass()
  asio::steady_timer alarm_;  // rung to end a request
  asio::steady_timer clock_;  // rung when a deadline changes
  MediaStream* stream_ = nullptr;
  Interruption interruption_ = Interruption::none;
  CallUpdate update_;
  std::optional<Clock::time_point> answered_;
  std::size_t gathers_done_ = 0;
  unsigned sequence_ = 0;
};

}  // namespace sim::twilio
