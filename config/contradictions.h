#pragma once
#include <vector>

#include "config/finding.h"
#include "config/settings.h"

namespace config {

/// Settings that are fine alone and cannot hold together.
std::vector<Finding> contradictions(Settings const& settings);

}  // namespace config
