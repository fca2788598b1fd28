#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gateway/base/log.h"
#include "gateway/base/metrics.h"
#include "gateway/net/http_server.h"
#include "loadtest/sim/elevenlabs/conversation.h"
#include "loadtest/sim/elevenlabs/platform.h"
#include "loadtest/sim/elevenlabs/rest.h"

namespace sim::elevenlabs {

/// The conversational-agent platform as a real server on one thread: conversation sockets and REST. It judges its
/// clients by the bytes they send and records what it saw.
class ElevenLabsSim {
 public:
  struct Options {
    Scenario scenario = demo_scenario();
    base::Log log = base::Log::silent();
    std::filesystem::path certificate;  ///< PEM; with key: https and wss.
    std::filesystem::path key;
    std::uint32_t seed = 1;                  ///< Of chunk sizes.
    bool keep_audio = true;                  ///< Off for load tests: counts only.
    std::size_t keep_conversations = 20000;  ///< The oldest finished ones are forgotten beyond.
    std::function<void(Event const&)> on_event;
  };

  /// Throws std::runtime_error when a recording that an agent uses cannot be read.
  ElevenLabsSim(asio::any_io_executor executor, base::TimeSource& time, Options options);

  /// Listens on the loopback address; 0 takes a free port. Throws boost::system::system_error.
  std::uint16_t listen(std::uint16_t port = 0);
  base::Async<> serve();
  void stop();
  base::Async<> drain(base::TimeSource::Clock::duration grace);

  /// "http://127.0.0.1:PORT" (https:// with a certificate), for ELEVENLABS_API_BASE_URL.
  std::string base_url() const;
  /// ws:// or wss:// URL of a public agent's socket.
  std::string socket_url(std::string_view agent_id) const;

  /// Applies to conversations opened from now on. Throws std::out_of_range for an unknown id.
  Agent& agent(std::string_view id);
  void fail_rest(RestFault fault) { platform_.faults.push_back(std::move(fault)); }
  void clear_rest_faults() { platform_.faults.clear(); }

  /// In the order in which they were opened.
  std::deque<std::unique_ptr<ConversationRecord>> const& conversations() const { return platform_.conversations; }
  /// The newest; nullptr when there was none.
  ConversationRecord const* newest() const;
  std::size_t live() const { return live_.size(); }
  /// Makes a running conversation do steps as if a turn had asked for them. False when it is over.
  bool perform(std::string const& conversation_id, std::vector<Step> steps);

  /// Waits until `condition` holds, looking after every change of a record. False when it did not within `limit` of
  /// real time, whatever TimeSource says: a test that hangs should fail.
  base::Async<bool> until(std::function<bool()> condition, std::chrono::milliseconds limit = std::chrono::seconds{10});

 private:
  base::Async<> converse(net::PendingUpgrade upgrade);
  base::Async<> turn_away(net::PendingUpgrade& upgrade, Behaviour const& ways, std::string refusal,
                          std::string subprotocol);
  ConversationRecord& new_record(net::Request const& request, Agent const& agent, std::string authorization);
  void forget_old();

  asio::any_io_executor executor_;
  base::TimeSource& time_;
  Options options_;
  Platform platform_;
  Speech speech_;
  std::mt19937 dice_;
  std::unique_ptr<net::TlsServer> tls_;
  Bell changed_;
  base::Metrics metrics_;
  net::Router router_;
  Rest rest_;
  net::HttpServer server_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  std::map<std::string, Conversation*> live_;
};

}  // namespace sim::elevenlabs
