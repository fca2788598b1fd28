#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "loadtest/load/report.h"

namespace sim::load {

/// Of the JSON below. A reader refuses every other version: figures that mean something else must not be compared.
inline constexpr int report_version = 1;

/// {"format":"switchboard-load","version":1,"max_calls":null,"runs":[...]}, indented, with the names of figures.h.
std::string to_json(Report const& report);

/// Strict: every figure must be there and have its type; an error names the field. At most 64 MiB and 1,000 runs.
base::Result<Report> read_report(std::string_view json);

/// From a file; the error names the file.
base::Result<Report> load_report(std::string const& file);

}  // namespace sim::load
