#pragma once

#include <string>

#include "loadtest/load/report.h"

namespace sim::load {

/// One page that can be kept, mailed and opened without a network: no script, no outside reference; light or dark as
/// the reader's system is. Well-formed as XML, too.
std::string html(Report const& report);

}  // namespace sim::load
