#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "gateway/base/task_group.h"
#include "gateway/net/http_client.h"
#include "loadtest/chaos/history.h"
#include "loadtest/chaos/plan.h"
#include "loadtest/sim/crm/crm_sim.h"
#include "loadtest/sim/elevenlabs/sim.h"
#include "loadtest/sim/twilio/twilio_sim.h"

namespace sim::chaos {

/// Everybody around the gateway, on one thread of their own: the carrier with its callers, the agents, and a system
/// that is told of events. Writes down what they see. The functions may be called from one other thread; they block.
class Outside {
 public:
  explicit Outside(History& history);
  ~Outside();
  Outside(Outside const&) = delete;
  Outside& operator=(Outside const&) = delete;

  twilio::Account const& account() const { return account_; }
  std::string agents_url() const { return agents_.base_url(); }
  std::string carrier_url() const { return carrier_.base_url(); }
  std::string webhook_url() const { return receiver_.webhook_url(); }
  std::string webhook_port() const { return std::to_string(receiver_port_); }
  std::string const& webhook_secret() const { return webhook_secret_; }

  /// Does not wait. `gateway`: its base URL.
  void place(PlannedCall const& call, std::string const& gateway);
  std::size_t calls_under_way() const { return under_way_.load(std::memory_order_acquire); }
  /// Writes down what the receiver and the carrier have been told since the last time.
  void write_down_what_was_told();

  void drop_conversations();
  /// The next few things that the receiver and the carrier are told go wrong.
  void trouble_target(std::uint32_t variant);
  /// How many numbers the gateway answers, from its health page; 0 when nobody answers.
  std::int64_t numbers_routed(std::string const& health_url);

 private:
  base::Async<> call(twilio::CallPlan plan);
  template <class Work>
  auto on_loop(Work work);
  void write_down(sim::crm::ReceivedEvent const& event, bool again);
  void note_conversation(elevenlabs::Event const& event);

  History& history_;
  twilio::Account account_;
  std::string webhook_secret_;
  asio::io_context loop_{1};
  base::SystemTime time_;
  net::HttpClient http_;
  base::TaskGroup tasks_;
  elevenlabs::ElevenLabsSim agents_;
  twilio::TwilioSim carrier_;
  sim::crm::CrmSim receiver_;
  std::uint16_t receiver_port_ = 0;
  std::map<std::string, unsigned> told_;  // webhook-id -> how often it is in the history
  std::size_t texts_written_ = 0;
  std::atomic<std::size_t> under_way_{0};
  std::thread thread_;
};

/// The agent of every call: greets, and books the free time of that number when the caller has spoken: each time, or
/// with `chats_on` the first time, and has another word for everything after.
elevenlabs::Agent booking_agent(std::size_t slot, bool chats_on);

inline constexpr char const* agent_id = "agent_chaos";
inline constexpr char const* api_key = "sk_chaos";
inline constexpr char const* number = "+15550001111";

}  // namespace sim::chaos
