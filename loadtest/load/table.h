#pragma once

#include <string>

#include "loadtest/load/options.h"
#include "loadtest/load/report.h"

namespace sim::load {

/// What a person wants to know of one run, some thirty lines for a terminal of 100 columns.
std::string table(Figures const& figures);

/// One line a run, for a search or a comparison of several programs.
std::string overview(Report const& report);

/// The state of a run in at most 100 columns, to be written over itself; no line end.
std::string progress_line(Stage const& stage, std::size_t calls_wanted);

}  // namespace sim::load
