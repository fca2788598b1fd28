#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace config {

/// A spelling people may use, and the name we would have understood.
struct Spelling {
  std::string written;
  std::string meant;
};

/// The `meant` of the nearest spelling, capitals ignored, when few enough letters differ; empty when none is near.
std::string nearest(std::string_view unknown, std::vector<Spelling> const& known);

}  // namespace config
