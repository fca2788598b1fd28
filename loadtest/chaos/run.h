#pragma once
#include <functional>
#include <string>
#include <vector>

#include "loadtest/chaos/limits.h"
#include "loadtest/chaos/plan.h"
#include "loadtest/chaos/quit.h"
#include "loadtest/chaos/report.h"

namespace sim::chaos {

struct RunSettings {
  std::uint64_t seed = 0;  ///< For the report.
  std::vector<PlannedCycle> plan;
  Limits limits;
  std::string switchboard;             ///< The program.
  std::string data;                    ///< Folder for the gateway's data and log; empty: a temporary one.
  std::string history;                 ///< File; empty: none.
  std::chrono::seconds patience{120};  ///< For one cycle to come to rest: two leases of the outbox.
};

/// Starts a gateway and everybody around it, goes through the plan and judges what is left. `on_cycle` hears of every
/// cycle as it ends, `on_notice` of what is left out and why. Throws std::runtime_error with a sentence when it cannot
/// be done at all, and Interrupted; whatever was started has ended then, too. Blocking, for the main thread.
RunReport run(RunSettings const& settings, Quit const& quit, std::function<void(CycleReport const&)> const& on_cycle,
              std::function<void(std::string const&)> const& on_notice);

}  // namespace sim::chaos
