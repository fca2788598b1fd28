#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/dotenv.h"

/// Any bytes: names are names, no name is kept twice, and every entry and fault stands on a line of the text.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text{reinterpret_cast<char const*>(data), size};
  auto const dotenv = config::read_dotenv(text);
  int lines = 1;
  for (char const c : text) lines += c == '\n';
  int before = 0;
  for (auto const& entry : dotenv.entries) {
    bool const fits = !entry.key.empty() && entry.key.find_first_of(" =#\t\r\n") == entry.key.npos;
    if (!fits || entry.line <= before || entry.line > lines || entry.value.reveal().size() > size) std::abort();
    before = entry.line;
  }
  before = 0;
  for (auto const& fault : dotenv.faults) {
    if (fault.line <= before || fault.line > lines || fault.problem.empty()) std::abort();
    before = fault.line;
  }
  return 0;
}
