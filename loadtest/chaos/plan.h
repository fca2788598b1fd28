#pragma once
// What a run will do to the gateway, worked out beforehand: the same seed gives the same calls and the same faults.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sim::chaos {

using std::chrono::milliseconds;

enum class FaultKind {
  kill,          ///< kill -9 of the gateway, then a new start.
  pg_stop,       ///< Its PostgreSQL stops as in a crash; the gateway brings it back.
  pg_pause,      ///< Every process of PostgreSQL stands still for a while.
  journal_full,  ///< There is no space left where the journal lives.
  target,        ///< Who is told of events takes them without an answer, says 503, or hangs up.
  agent,         ///< The agent platform drops every conversation.
  pg_away,       ///< PostgreSQL stops and nobody can start it for a while. Not in a random plan.
};

std::string_view to_string(FaultKind kind);
/// "kill,pg_stop"; every word once. Fault::protocol names the word that is none.
base::Result<std::vector<FaultKind>> parse_faults(std::string_view list);
/// Those of a random plan.
std::vector<FaultKind> all_faults();

struct PlannedFault {
  FaultKind kind = FaultKind::kill;
  milliseconds at{0};         ///< Since the cycle began.
  milliseconds lasts{0};      ///< For pg_pause, pg_away and journal_full.
  std::uint32_t variant = 0;  ///< For target: which of its ways.
};

struct PlannedCall {
  milliseconds at{0};         ///< Since the cycle began.
  milliseconds talks_for{0};  ///< The caller hangs up so long after the answer.
  std::string from;
  std::size_t slot = 0;        ///< Which of the free times that are offered the caller takes.
  bool keeps_talking = false;  ///< Has more to say after the appointment: for calls of more than a few seconds.
};

struct PlannedCycle {
  std::vector<PlannedCall> calls;
  std::vector<PlannedFault> faults;  ///< By time.
};

struct PlanSettings {
  std::uint64_t seed = 1;
  std::size_t cycles = 25;
  std::size_t calls = 20;
  std::vector<FaultKind> faults = all_faults();
};

/// A cycle does not depend on how many there are.
std::vector<PlannedCycle> make_plan(PlanSettings const& settings);

/// `calls` at any time for `span` and nothing that breaks: whoever hangs up is followed by the next caller.
PlannedCycle steady_plan(std::uint64_t seed, std::size_t calls, milliseconds span);
/// `calls` that begin before PostgreSQL goes away for `span`, and end while it is away; a tenth as many come and go
/// meanwhile.
PlannedCycle outage_plan(std::uint64_t seed, std::size_t calls, milliseconds span);

bool has_fault(std::vector<PlannedCycle> const& plan, FaultKind kind);

}  // namespace sim::chaos
