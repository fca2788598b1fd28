#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/load/options.h"
#include "tests/net/server_scene.h"

namespace test {

/// A gateway made for the load test to find fault with: relays calls rightly, except for what its Faults say.
class FaultyBridge {
 public:
  using Frame = std::string;  ///< 160 bytes of µ-law.
  /// What becomes of the `number`-th frame (from 0) of the `call`-th call (from 0): the frames sent in its stead.
  using Fate = std::function<std::vector<Frame>(int call, int number, Frame frame)>;

  struct Faults {
    Fate to_agent;
    Fate to_caller;
    int clears = 1;                ///< For each interruption.
    bool lets_stale_pass = false;  ///< Audio of the interrupted turn goes on after the clear.
    bool forgets_early = false;    ///< Audio from before the agent was up.
    int drops_agent_of = -1;       ///< Call whose agent's conversation it ends after a second.
    std::string answer;            ///< TwiML in place of the right one.
  };

  explicit FaultyBridge(Faults faults);
  ~FaultyBridge();

  /// A short run against this bridge.
  sim::load::Options options() const;

 private:
  class Line;
  base::Async<> carry(net::PendingUpgrade pending);
  std::string twiml() const;

  Faults faults_;
  std::uint16_t agents_port_;
  std::shared_ptr<net::TlsClient> tls_;
  int calls_ = 0;
  ServerScene server_;
};

}  // namespace test
