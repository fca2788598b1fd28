#include "crm/journal/survey.h"

#include <algorithm>

namespace crm::journal {
namespace {

constexpr std::uint64_t longest_file = 512U << 20U;

struct Newest {
  Place place;
  Entry entry;
};

}  // namespace

base::Result<Survey> survey(Files& files) {
  auto const names = files.list();
  if (!names) return std::unexpected{names.error()};
  std::map<std::uint64_t, std::string> segments;
  for (auto const& name : *names)
    if (auto const number = number_in(name, segment_ending)) segments[*number] = name;

  Survey found;
  std::unordered_map<std::string, Newest> newest;
  for (auto const& [number, name] : segments) {
    auto const bytes = files.read(name, 0, longest_file);
    if (!bytes && bytes.error().fault == base::Fault::not_found) continue;  // all in it has been written meanwhile
    auto const reading = bytes ? read_segment(*bytes) : Reading{.newer = true};
    if (reading.newer) ++found.unread_files;
    if (reading.torn || reading.holes > 0) ++found.damaged_files;
    for (auto const& [record, offset, length] : reading.records) {
      auto& known = newest.try_emplace(std::string{record.key}).first->second;
      if (record.version < known.entry.version) continue;
      known = {{number, offset}, {std::string{record.key}, record.version, std::string{record.payload}}};
      if (record.kind == Kind::forgotten) known.entry.payload.clear();
    }
  }
  std::map<Place, Entry> in_order;
  for (auto& [key, known] : newest)
    if (!known.entry.payload.empty()) in_order.emplace(known.place, std::move(known.entry));
  for (auto& [place, entry] : in_order) found.waiting.push_back(std::move(entry));
  return found;
}

}  // namespace crm::journal
