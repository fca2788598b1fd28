#pragma once
// A simulated carrier and a simulated agent service on one thread, and calls placed on them from a test's own thread.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "gateway/net/http_client.h"
#include "loadtest/sim/elevenlabs/sim.h"
#include "loadtest/sim/twilio/twilio_sim.h"
#include "tests/flow/door.h"
#include "tests/support/authority.h"

namespace outside {

using namespace std::chrono_literals;
using sim::twilio::CallPlan;
using sim::twilio::CallResult;
using sim::twilio::EventKind;
using std::chrono::milliseconds;

inline constexpr char const* agent_id = "agent_receptionist";

/// A call that has been placed and may still be going on. Any thread.
class PlacedCall {
 public:
  /// Waits for the `nth` event of that kind; false when it does not come in time.
  bool comes_to(EventKind kind, std::size_t nth = 1, milliseconds patience = 20s) const;
  /// Waits until the carrier has given it one.
  std::string sid() const;
  /// Waits for the end. Throws std::runtime_error when it does not come.
  CallResult const& result(milliseconds patience = 60s) const;

 private:
  friend class Simulators;
  struct Story {
    std::mutex mutex;
    std::condition_variable news;
    std::string sid;
    std::vector<EventKind> seen;
    std::optional<CallResult> result;
  };
  std::shared_ptr<Story> story_ = std::make_shared<Story>();
};

/// Empty: none.
struct Encryption {
  std::filesystem::path authority;     ///< Trusted by the carrier.
  test::Authority::Files agents = {};  ///< What the agent service shows.
};

/// Their one agent greets with `greeting()` and has an answer to whatever the caller says.
class Simulators {
 public:
  explicit Simulators(Encryption const& tls = {});
  ~Simulators();
  Simulators(Simulators const&) = delete;
  Simulators& operator=(Simulators const&) = delete;

  sim::twilio::Account const& account() const { return account_; }
  std::string const& api_key() const { return api_key_; }
  std::string agents_url() const { return agents_.base_url(); }
  std::string carrier_url() const { return carrier_.base_url(); }

  PlacedCall place(CallPlan plan);
  void hang_up(PlacedCall const& call);
  /// What the agent says first in conversations to come.
  void greet_with(std::string text);
  /// What it does in them when the caller has spoken first.
  void reply_with(std::vector<sim::elevenlabs::Step> steps);
  /// A door before that port, from now on; returns its port.
  std::uint16_t open_door(std::uint16_t inner);
  /// Cuts every door: whoever came through one is reset.
  void cut_doors();
  /// The agent service breaks down: its conversations end without a word, and nobody reaches it any more.
  void kill_agents();
  /// Held, no door connects to what is behind it.
  void hold_doors(bool held);
  net::Response get(std::string const& url);

  /// Runs `work(ElevenLabsSim&)` on the simulators' thread.
  template <class Work>
  auto with_agents(Work work) {
    auto const there = [this, &work]() -> base::Async<decltype(work(agents_))> { co_return work(agents_); };
    return asio::co_spawn(loop_, there(), asio::use_future).get();
  }

 private:
  base::Async<> run_call(CallPlan plan, std::shared_ptr<PlacedCall::Story> story);

  asio::io_context loop_{1};
  base::SystemTime time_;
  sim::twilio::Account account_;
  std::string api_key_;
  net::HttpClient http_;
  sim::elevenlabs::ElevenLabsSim agents_;
  sim::twilio::TwilioSim carrier_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::thread thread_;
};

}  // namespace outside
