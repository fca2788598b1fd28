#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/chaos/check.h"
#include "loadtest/chaos/delays.h"
#include "loadtest/chaos/plan.h"

namespace sim::chaos {

struct CycleReport {
  std::size_t cycle = 0;
  std::vector<FaultKind> faults;
  std::int64_t calls = 0;
  std::int64_t lost = 0;
  std::int64_t doubled = 0;
  std::int64_t repeats = 0;
  /// From the end of the last fault and the last call until everything was where it belongs; nothing: it never was.
  std::optional<std::int64_t> recovery_ms;
};

struct RunReport {
  std::uint64_t seed = 0;
  Promises promises;
  std::vector<CycleReport> cycles;
  std::vector<Finding> findings;
  std::vector<std::string> problems;  ///< Beside losses and doubles: the gateway ended by itself, say.
  DelayReport delays;
  std::int64_t most_at_once = 0;  ///< Calls with an open stream.
  std::int64_t booked = 0;
  std::int64_t delivered = 0;
  std::int64_t texts = 0;
  double seconds = 0;

  bool clean() const { return findings.empty() && problems.empty(); }
};

std::string table_head();
std::string table_row(CycleReport const& cycle);
/// What follows the table.
std::string summary(RunReport const& report);
std::string to_json(RunReport const& report);

}  // namespace sim::chaos
