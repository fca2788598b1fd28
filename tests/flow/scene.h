#pragma once
// The stage of the flow tests: a whole gateway in this process between a simulated carrier and a simulated agent
// service, each on a thread of its own, over a private PostgreSQL that all tests of this program share. Real time.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.h"
#include "crm/database.h"
#include "crm/model/call_record.h"
#include "crm/model/tenant.h"
#include "crm/model/voice_agent.h"
#include "gateway/net/http_client.h"
#include "gateway/process.h"
#include "loadtest/sim/elevenlabs/sim.h"
#include "loadtest/sim/twilio/twilio_sim.h"

namespace flow {

using namespace std::chrono_literals;
using sim::elevenlabs::Agent;
using sim::elevenlabs::AudioSource;
using sim::elevenlabs::ConversationRecord;
using sim::elevenlabs::ElevenLabsSim;
using sim::elevenlabs::EndCall;
using sim::elevenlabs::Say;
using sim::elevenlabs::Turn;
using sim::twilio::CallEnding;
using sim::twilio::CallPlan;
using sim::twilio::CallResult;
using sim::twilio::EventKind;
using sim::twilio::Mulaw;
using sim::twilio::Signing;
using sim::twilio::StreamEnd;
using std::chrono::milliseconds;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif
#ifdef __OPTIMIZE__
inline constexpr bool is_optimized = !is_sanitized;
#else
inline constexpr bool is_optimized = false;
#endif

/// Something the caller's end saw, and when.
struct Seen {
  sim::twilio::Event event;
  base::Instant when;
};

/// A call that has been placed and may still be going on. Any thread.
class PlacedCall {
 public:
  /// Waits until the carrier has given it one.
  std::string sid() const;
  /// Waits for the `nth` event of that kind. Throws std::runtime_error when it does not come within `patience`.
  Seen until(EventKind kind, std::size_t nth = 1, milliseconds patience = 20s) const;
  /// Waits for the call's end. Throws std::runtime_error when it does not come.
  CallResult const& result(milliseconds patience = 90s) const;
  /// What has been seen so far.
  std::vector<Seen> seen(EventKind kind) const;

 private:
  friend class Scene;
  struct Story {
    std::mutex mutex;
    std::condition_variable news;
    std::string sid;
    std::vector<Seen> seen;
    std::optional<CallResult> result;
    std::exception_ptr failure;
  };
  std::shared_ptr<Story> story_ = std::make_shared<Story>();
};

/// A business: tenant, agents and numbers are made before open(), calls are placed after it. close() is the last check
/// of every test: nothing is left open anywhere, and the log holds no secret and no phone number.
class Scene {
 public:
  using Tune = std::function<void(config::Settings&)>;

  explicit Scene(Tune const& tune = {});
  ~Scene();
  Scene(Scene const&) = delete;
  Scene& operator=(Scene const&) = delete;

  /// Why there is no database to run on; empty when there is one. A test without one skips aloud.
  static std::string missing();

  /// Those hired from now on work for a new business.
  void found_tenant(std::function<void(crm::Tenant&)> const& tune = {});
  /// Gives the agent a number of its own and returns that. The agent's id is filled in when empty.
  std::string hire(Agent agent, std::function<void(crm::VoiceAgent&)> const& tune = {});
  void open();
  void close();

  CallPlan plan(std::string const& number) const;
  PlacedCall place(CallPlan plan);
  /// The caller hangs up, if the call still goes on.
  void hang_up(PlacedCall const& call);
  /// The row, once it has its terminal state.
  crm::CallRecord record(std::string const& call_sid);
  /// The row as it is now.
  std::optional<crm::CallRecord> record_now(std::string const& call_sid);
  /// Number of rows of calls in the database.
  std::size_t records();
  /// The first value that a statement gives on the gateway's database.
  std::string value(std::string const& statement);

  /// Conversations of the agent that answers `number`, oldest first.
  std::vector<ConversationRecord> conversations(std::string const& number);
  /// Conversations that were told this CallSid.
  std::vector<ConversationRecord> conversations_of_call(std::string const& call_sid);
  /// Waits until the newest conversation of that number is so.
  bool agent_comes_to(std::string const& number, std::function<bool(ConversationRecord const&)> condition,
                      milliseconds patience = 15s);
  /// Changes how the agent of that number behaves in conversations to come.
  void change(std::string const& number, std::function<void(Agent&)> how);
  /// Runs `work(ElevenLabsSim&)` on its thread.
  template <class Work>
  auto with_agents(Work work) {
    std::packaged_task<decltype(work(*agents_))()> task{[this, &work] { return work(*agents_); }};
    auto outcome = task.get_future();
    asio::post(agents_loop_, [&task] { task(); });
    return outcome.get();
  }
  /// Runs `work(TwilioSim&)` on its thread.
  template <class Work>
  auto with_carrier(Work work) {
    std::packaged_task<decltype(work(*carrier_))()> task{[this, &work] { return work(*carrier_); }};
    auto outcome = task.get_future();
    asio::post(carrier_loop_, [&task] { task(); });
    return outcome.get();
  }
  /// Runs a coroutine on the carrier's thread to its end.
  template <class T>
  T run(base::Async<T> work) {
    return asio::co_spawn(carrier_loop_, std::move(work), asio::use_future).get();
  }

  /// A form post to the gateway as the carrier signs it. `target` is path and query.
  net::Response post(std::string const& target, net::Form const& form, Signing signing = Signing::correct);
  net::Response send(net::HttpCall call);
  /// The fields of a voice webhook for that call.
  net::Form voice_form(std::string const& call_sid, std::string const& to) const;
  /// Sum of a metric's samples whose line begins with `name`; 0 when there is none.
  double metric(std::string_view name);
  /// Waits until `condition` holds, looking every few milliseconds.
  bool until(std::function<bool()> const& condition, milliseconds patience = 15s);

  /// "http://127.0.0.1:PORT" as in PUBLIC_BASE_URL.
  std::string const& base_url() const { return base_url_; }
  std::string sign(std::string_view url, net::Form const& form = {}) const;
  std::string const& account_sid() const { return account_.sid; }
  gateway::Process& process() { return *process_; }
  asio::any_io_executor carrier_executor() { return carrier_loop_.get_executor(); }
  base::TimeSource& time() { return time_; }
  /// Everything logged so far.
  std::string log();
  /// A conversation of this scene may break the contract of the agent service, or stay open at its end.
  void expect_rude_conversations() { polite_ = false; }

 private:
  void seed();
  void start_simulators();
  void check_conversations();
  void check_log();

  asio::io_context agents_loop_{1};
  asio::io_context carrier_loop_{1};
  std::string conninfo_;
  std::filesystem::path folder_;
  std::string base_url_;
  config::Settings settings_;
  sim::twilio::Account account_;
  std::string api_key_;
  struct Hired {
    std::string number;
    Agent acts;
    crm::VoiceAgent serves;
  };
  std::vector<crm::Tenant> tenants_;
  std::vector<Hired> hired_;
  base::SystemTime time_;
  net::HttpClient http_;
  std::unique_ptr<ElevenLabsSim> agents_;
  std::unique_ptr<sim::twilio::TwilioSim> carrier_;
  std::unique_ptr<gateway::Process> process_;
  std::uint16_t ops_port_ = 0;
  std::vector<std::thread> threads_;
  bool open_ = false;
  bool polite_ = true;
};

/// A test with a scene of its own; `stage.scene` is made when first asked for.
class FlowTest : public testing::Test {
 protected:
  void SetUp() override {
    if (auto const why = Scene::missing(); !why.empty()) GTEST_SKIP() << "no PostgreSQL: " << why;
  }
  void TearDown() override {
    if (!scene_) return;
    scene_->close();
    if (HasFailure()) std::cout << "The gateway's log:\n" << scene_->log();
  }
  Scene& scene(Scene::Tune const& tune = {}) {
    if (!scene_) scene_ = std::make_unique<Scene>(tune);
    return *scene_;
  }

 private:
  std::unique_ptr<Scene> scene_;
};

/// Human speech, as the telephone carries it: at least `length` of it, from the recordings of alsa-utils one after the
/// other.
Mulaw speech(milliseconds length);
/// One of those recordings; `which` wraps around.
std::filesystem::path recording(std::size_t which);

/// An agent that says `first` and answers nothing by itself.
Agent agent_saying(Say first);
Say words(std::string text);
Say words(std::string text, milliseconds length);
/// Speaks with a human voice.
Say voiced(std::string text, std::size_t which_recording, milliseconds length = 0ms);
/// Answers the next thing that the caller says.
Turn answer(std::vector<sim::elevenlabs::Step> reply);

/// Where `part` begins in `whole`; nothing when it is not there in one piece.
std::optional<std::size_t> position(std::span<std::uint8_t const> part, std::span<std::uint8_t const> whole);
std::vector<std::int16_t> linear(std::span<std::uint8_t const> mulaw);
double median(std::vector<double> values);

}  // namespace flow
