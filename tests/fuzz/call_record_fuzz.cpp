#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crm/journal/call_record_json.h"

/// Any bytes: what is taken for a call record is the same record when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace crm::journal;
  auto const call = decode({reinterpret_cast<char const*>(data), size});
  if (!call) {
    if (call.error().detail.empty()) std::abort();
    return 0;
  }
  if (decode(encode(*call)) != *call) std::abort();
  return 0;
}
