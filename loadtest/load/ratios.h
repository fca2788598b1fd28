#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "loadtest/load/report.h"

namespace CLI {
class App;
}

namespace sim::load {

/// The runs of one program, taken in turn with those of others.
struct Standing {
  std::string label;
  std::size_t runs = 0;
  int calls = 0;
  double us_per_frame = 0;  ///< median over the runs, CPU of the process
  double least_us = 0;      ///< of the runs, to show how far they lie apart
  double most_us = 0;
  double ratio = 0;                    ///< of the medians, to the program that is the measure
  double to_agent_p99_ms = 0;          ///< median
  double to_caller_p99_ms = 0;         ///< median
  std::optional<double> per_call_kib;  ///< median
  std::int64_t lost = 0;               ///< sum
  std::int64_t failed = 0;             ///< sum
};

/// One line a label, in the order in which they first appear. Fails when `floor` is not among them, when a run has no
/// CPU figure, when scenarios differ, or when a generator was the bottleneck: ratios of such runs mean nothing.
base::Result<std::vector<Standing>> standings(Report const& report, std::string const& floor);

std::string to_text(std::vector<Standing> const& standings, std::string const& floor);
std::string to_json(std::vector<Standing> const& standings, std::string const& floor);

/// `switchboard-sim ratios --floor LABEL FILE...`: medians and ratios over the reports of runs that were taken in turn.
void add_ratios_command(CLI::App& app, int& exit_code);

}  // namespace sim::load
