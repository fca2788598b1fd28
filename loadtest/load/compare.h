#pragma once

#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "loadtest/load/report.h"

namespace CLI {
class App;
}

namespace sim::load {

enum class Verdict {
  same,  ///< within the tolerance, or a figure that is not judged
  better,
  worse,
  not_zero,  ///< must be zero in the second report whatever the first one says
  vanished,  ///< measured in the first report only: a regression could hide there
  appeared,
};

struct ComparedReading {
  std::string title;  ///< "caller to agent, p99"
  std::string unit;
  std::optional<double> before;
  std::optional<double> after;
  Verdict verdict = Verdict::same;
};

struct Comparison {
  std::vector<ComparedReading> readings;
  std::vector<std::string> remarks;  ///< the machines differ, for example
  bool has_regression() const;
};

/// Judges the last runs of both reports (of a search: the confirming ones, and the number of calls itself; what depends
/// on the number is then only shown). `tolerance` is a share, 0.1 for 10 %. Fails with Fault::conflict when the two did
/// not measure the same thing, or when a generator was the bottleneck.
base::Result<Comparison> compare(Report const& before, Report const& after, double tolerance);

/// What got worse first, then what got better, then the number of figures that stayed.
std::string to_text(Comparison const& comparison);

/// "10%" or "0.1" -> 0.1. From 0 to 1,000 %.
base::Result<double> parse_tolerance(std::string_view text);

/// `switchboard-sim compare a.json b.json [--tolerance 10%]`: 0 no regression, 1 a regression, 2 not comparable.
void add_compare_command(CLI::App& app, int& exit_code);

}  // namespace sim::load
