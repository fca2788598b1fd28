#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/call/tool_table.h"

/// Any bytes: what every tool takes from a model it takes again unchanged, and what it refuses it refuses with a word.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  for (auto const& tool : gateway::tools()) {
    auto const once = gateway::check_parameters(tool, text);
    if (!once) {
      if (once.error().detail.empty()) std::abort();
      continue;
    }
    if (gateway::check_parameters(tool, *once) != *once) std::abort();
  }
  return 0;
}
