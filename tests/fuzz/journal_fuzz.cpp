#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crm/journal/segment_format.h"

/// Any bytes: records do not overlap, stand where they say, and read the same when they are written again.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace crm::journal;
  std::string_view const bytes{reinterpret_cast<char const*>(data), size};
  auto const reading = read_segment(bytes);
  std::size_t end = 0;
  for (auto const& found : reading.records) {
    if (found.offset < end || found.length != length_of(found.record)) std::abort();
    end = found.offset + found.length;
    std::string again;
    append_record(again, found.record);
    Found read;
    if (!read_record(again, 0, read) || read.record.version != found.record.version ||
        read.record.key != found.record.key || read.record.payload != found.record.payload)
      std::abort();
  }
  if (end > size || (!reading.records.empty() && reading.end != end)) std::abort();
  // Whatever stands in front of it, a whole record is found.
  std::string sound = std::string{bytes};
  append_record(sound, {Kind::snapshot, "call", 1, "{}"});
  if (!reading.newer && read_segment(sound).records.size() <= reading.records.size()) std::abort();
  return 0;
}
