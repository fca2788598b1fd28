#pragma once

#include <functional>
#include <string>

#include "loadtest/load/report.h"

namespace sim::load {

struct MaxCallsOptions {
  int first = 100;          ///< where the doubling begins
  int limit = 20'000;       ///< never asked beyond
  double probe_s = 15;      ///< measured time of a probe
  double full_s = 60;       ///< of the run that confirms
  double p99_ms = 20;       ///< both directions
  double precision = 0.02;  ///< the search ends when the answer is this well known, as a share of it
};

struct MaxCalls {
  /// Who ended the search. `generator`: the target was still well, so it carries at least this many.
  enum class EndedBy { target, generator, limit };
  int calls = 0;  ///< confirmed by a run of full length; 0 when not even one call was carried
  EndedBy ended_by = EndedBy::target;
  std::string why;  ///< what happened at the smallest number that was too many
  Report report;    ///< every run, the confirming one last
};

/// One run with that many calls, measured for that many seconds. May throw; the search then ends with the same
/// exception.
using RunCalls = std::function<Figures(int calls, double seconds)>;
/// After each run: its number of calls and why that was too many; empty when it was carried.
using OnProbe = std::function<void(Figures const&, std::string const& why_not)>;

/// Why these figures do not count as carried; empty when they do: nothing lost or mixed up, every call answered, p99
/// within the limit in both directions.
std::string why_not_carried(Figures const& figures, double p99_ms);

/// Doubles from `first`, then halves the interval, then confirms with a full run; a number that fails the full run is
/// taken down by `precision`, then twice that and so on, until one holds. Never reports a number that failed anywhere.
/// A run in which the generator was the bottleneck is tried once more before it counts.
MaxCalls find_max_calls(RunCalls const& run, MaxCallsOptions const& options, OnProbe const& on_probe);

}  // namespace sim::load
