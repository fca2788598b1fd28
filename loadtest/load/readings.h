#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/load/figures.h"

namespace sim::load {

enum class Better { lower, higher, zero, neither };

/// One number of a report: what it is called, what a good one looks like and where it stands in Figures.
struct Reading {
  std::string_view group;  ///< "caller to agent"
  std::string_view name;   ///< "p99"; unique within the group
  std::string_view unit;   ///< "ms", "us", "KiB", "cores"; empty for a count
  Better better = Better::lower;
  double grain = 0;  ///< differences up to this are noise whatever they are in percent
  /// Empty: not measured, or meaningless in this run (no interruption was sent).
  std::optional<double> (*of)(Figures const&) = nullptr;

  std::string title() const { return std::string{group} + ", " + std::string{name}; }
};

/// Everything that can be judged, in the order of the report.
std::span<Reading const> readings();

/// "0.41 ms", "12.3 us", "2,700,000", "31.2 KiB".
std::string with_unit(double value, std::string_view unit);

/// 2700000 -> "2,700,000".
std::string with_commas(std::int64_t value);

}  // namespace sim::load
