#include "crm/journal/segments.h"

#include <algorithm>
#include <numeric>

namespace crm::journal {
namespace {

using base::Fault;
using base::Result;

constexpr char const* reserve_name = "reserve";
constexpr char const* unfinished_name = "unfinished";
constexpr std::size_t most_aside = 4;
constexpr std::uint64_t most_in_one_move = 1U << 20U;
/// Notes of what is forgotten are waited for now and then, so that they do not pile up in memory.
constexpr std::size_t most_unsynced = 64U << 10U;
/// Of any file that is read; far more than the largest segment that can be set.
constexpr std::uint64_t longest_file = 512U << 20U;

}  // namespace

Segments::Segments(Files& files, SegmentLimits limits, base::Log log)
    : files_{files}, limits_{limits}, log_{std::move(log)} {}

// ---- what an earlier life left

Result<> Segments::recover() {
  auto const names = files_.list();
  if (!names) return std::unexpected{names.error()};
  std::map<std::uint64_t, std::string> found_segments;
  for (auto const& name : *names) {
    if (auto const number = number_in(name, segment_ending)) found_segments[*number] = name;
    if (auto const number = number_in(name, aside_ending)) {
      last_number_ = std::max(last_number_, *number);
      aside_.push_back(name);
    }
  }
  std::ranges::sort(aside_);
  if (std::ranges::find(*names, unfinished_name) != names->end()) discard(unfinished_name);
  for (auto const& [number, name] : found_segments) {
    last_number_ = std::max(last_number_, number);
    auto const read = recover_segment(name, number);
    if (read) continue;
    ++unread_files_;
    log_.error("journal file left alone", {{"file", name}, {"detail", read.error().detail}});
  }
  forgotten_while_reading_.clear();
  rescue();
  tidy_up();
  return {};
}

Result<> Segments::recover_segment(std::string const& name, std::uint64_t number) {
  auto const bytes = files_.read(name, 0, longest_file);
  if (!bytes) return std::unexpected{bytes.error()};
  auto const reading = read_segment(*bytes);
  if (reading.newer) return base::fail(Fault::protocol, "written by a later version of this program");
  auto& segment = segments_[number];
  segment.bytes = bytes->size();
  for (auto const& each : reading.records) found(each, number);
  if (reading.torn || reading.holes > 0) {
    segment.damaged = true;
    ++damaged_files_;
    log_.error("journal file damaged", {{"file", name},
                                        {"records", reading.records.size()},
                                        {"holes", reading.holes},
                                        {"torn_end", reading.torn},
                                        {"end", reading.end}});
    return {};
  }
  // Gives back what was reserved behind the last record.
  if (auto const file = files_.open(name); file && (*file)->truncate(reading.end)) segment.bytes = reading.end;
  return {};
}

void Segments::found(Found const& each, std::uint64_t number) {
  std::string const key{each.record.key};
  auto const version = each.record.version;
  auto const forgotten = forgotten_while_reading_.find(key);
  if (each.record.kind == Kind::forgotten) {
    auto& newest = forgotten_while_reading_.try_emplace(key, version).first->second;
    newest = std::max(newest, version);
    drop(key, version);
    return;
  }
  if (forgotten != forgotten_while_reading_.end() && forgotten->second >= version) return;
  auto const known = live_.find(key);
  if (known != live_.end() && known->second.version > version) return;
  keep(key, {version, {number, each.offset}, each.length});
}

/// Copies what a damaged file still holds into a sound one, before it is put aside.
void Segments::rescue() {
  for (auto const& [number, segment] : segments_) {
    if (!segment.damaged || segment.waiting == 0) continue;
    auto const entries = entries_of(number);
    auto const moved = entries ? append(*entries) : std::unexpected{entries.error()};
    if (!moved) log_.error("journal records stay in a damaged file", {{"detail", moved.error().detail}});
  }
}

// ---- what waits

void Segments::keep(std::string const& key, Live live) {
  auto& known = live_[key];
  if (known.bytes > 0) {
    order_.erase(known.place);
    --segments_[known.place.segment].waiting;
    live_bytes_ -= known.bytes;
  }
  known = live;
  order_[live.place] = key;
  ++segments_[live.place.segment].waiting;
  live_bytes_ += live.bytes;
}

bool Segments::drop(std::string const& key, std::int64_t version) {
  auto const known = live_.find(key);
  if (known == live_.end() || known->second.version > version) return false;
  order_.erase(known->second.place);
  --segments_[known->second.place.segment].waiting;
  live_bytes_ -= known->second.bytes;
  live_.erase(known);
  return true;
}

std::vector<std::string> Segments::keys() const {
  std::vector<std::string> all;
  all.reserve(live_.size());
  for (auto const& [key, live] : live_) all.push_back(key);
  return all;
}

SegmentCounts Segments::counts() const {
  auto const disk = std::accumulate(segments_.begin(), segments_.end(), std::uint64_t{0},
                                    [](auto sum, auto const& each) { return sum + each.second.bytes; });
  return {live_.size(), live_bytes_, disk, damaged_files_, unread_files_, reserved_};
}

Page Segments::read(Place place, std::uint64_t most_bytes) {
  Page page;
  page.last = place;
  std::uint64_t bytes = 0;
  auto next = order_.upper_bound(place);
  for (; next != order_.end() && bytes < most_bytes; ++next) {
    page.last = next->first;
    auto const& live = live_.at(next->second);
    bytes += live.bytes;
    auto entry = read_entry(next->second, live);
    if (!entry) continue;
    page.entries.push_back(*std::move(entry));
    page.places.push_back(next->first);
  }
  page.end = next == order_.end();
  return page;
}

std::optional<Entry> Segments::read_entry(std::string const& key, Live const& live) {
  auto const bytes = files_.read(file_name(live.place.segment, segment_ending), live.place.offset, live.bytes);
  Found found;
  if (bytes && read_record(*bytes, 0, found))
    return Entry{key, found.record.version, std::string{found.record.payload}};
  log_.error("journal record cannot be read back",
             {{"file", file_name(live.place.segment, segment_ending)}, {"offset", live.place.offset}});
  return std::nullopt;
}

Result<std::vector<Entry>> Segments::entries_of(std::uint64_t number) {
  std::vector<Entry> entries;
  std::uint64_t bytes = 0;
  auto next = order_.lower_bound({number, 0});
  for (; next != order_.end() && next->first.segment == number && bytes < limits_.segment_bytes; ++next) {
    auto const& live = live_.at(next->second);
    auto entry = read_entry(next->second, live);
    if (!entry) return base::fail(Fault::unavailable, "a record cannot be read back");
    bytes += live.bytes;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

// ---- writing

Result<> Segments::append(std::span<Entry const> entries) {
  std::uint64_t needed = 0;
  for (auto const& entry : entries) {
    if (entry.key.size() > longest_key || entry.payload.size() > longest_payload)
      return base::fail(Fault::too_large, "a record is too large for the journal");
    needed += length_of({Kind::snapshot, entry.key, entry.version, entry.payload});
  }
  if (entries.empty()) return {};
  if (auto const room = make_room(needed); !room) return room;
  auto const before = unwritten_.size();
  std::vector<Live> lives;
  for (auto const& entry : entries) {
    auto const offset = current_->synced + unwritten_.size();
    append_record(unwritten_, {Kind::snapshot, entry.key, entry.version, entry.payload});
    lives.push_back({entry.version, {current_->number, offset}, current_->synced + unwritten_.size() - offset});
  }
  if (auto const written = flush(/*to_the_disk=*/true); !written) {
    unwritten_.resize(before);
    written_ = 0;
    return written;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto const known = live_.find(entries[i].key);
    if (known == live_.end() || known->second.version <= entries[i].version) keep(entries[i].key, lives[i]);
  }
  return {};
}

void Segments::forget(std::string const& key, std::int64_t version) {
  auto const known = live_.find(key);
  if (known == live_.end()) return;
  auto const segment = known->second.place.segment;
  if (!drop(key, version)) return;
  // A file that goes as a whole needs no note.
  bool const goes = segment == segments_.begin()->first && is_needless(segment);
  if (goes) return;
  Record const note{Kind::forgotten, key, version, {}};
  if (make_room(length_of(note))) append_record(unwritten_, note);
}

/// So that the current segment has room for this much more; after a failure, a fresh one if there can be one.
Result<> Segments::make_room(std::uint64_t bytes) {
  bool const full = !current_ || current_->synced + unwritten_.size() + bytes > current_->size;
  if (!full && !suspect_) return {};
  auto const begun = begin_segment(bytes);
  return full ? begun : Result<>{};
}

Result<> Segments::begin_segment(std::uint64_t bytes) {
  auto const size = std::max(limits_.segment_bytes, segment_head_bytes + unwritten_.size() + bytes);
  if (counts().disk_bytes + size > limits_.most_bytes) return base::fail(Fault::too_large, "the journal is full");
  bool const from_reserve = reserved_ && size == limits_.segment_bytes;
  auto const begun = begin_in(from_reserve ? reserve_name : unfinished_name, size, from_reserve);
  if (begun) suspect_ = false;
  if (!begun && !from_reserve) discard(unfinished_name);
  return begun;
}

Result<> Segments::begin_in(std::string const& name, std::uint64_t size, bool reserved) {
  auto file = files_.open(name);
  if (!file) return std::unexpected{file.error()};
  if (!reserved) {
    // Without the space set aside the record itself may still find room.
    if (auto const emptied = (*file)->truncate(0); !emptied) return emptied;
    if (auto const allocated = (*file)->allocate(size); !allocated)
      log_.warning("journal space not reserved", {{"detail", allocated.error().detail}});
  }
  auto const head = segment_head();
  if (auto const written = (*file)->write_at(0, head); !written) return written;
  auto const number = last_number_ + 1;
  if (auto const renamed = files_.rename(name, file_name(number, segment_ending)); !renamed) return renamed;
  last_number_ = number;
  if (reserved) reserved_ = false;
  finish_segment();
  directory_unsynced_ = true;
  current_ = Current{number, *std::move(file), size, head.size()};
  segments_[number].bytes = size;
  return {};
}

/// Gives back what the current segment does not need, also what a failed write may have left there.
void Segments::finish_segment() {
  if (!current_) return;
  if (current_->file->truncate(current_->synced)) segments_[current_->number].bytes = current_->synced;
  current_.reset();
  written_ = 0;
}

/// What a failure leaves in doubt is written once more, to the same place: a sync that succeeds then speaks for all of
/// it, and what had been synced before is not touched.
Result<> Segments::flush(bool to_the_disk) {
  if (!current_) return {};
  auto const failed = [this](Result<> const& why) {
    suspect_ = true;
    written_ = 0;
    return why;
  };
  if (to_the_disk && directory_unsynced_) {
    if (auto const synced = files_.sync_directory(); !synced) return failed(synced);
    directory_unsynced_ = false;
  }
  auto const rest = std::string_view{unwritten_}.substr(written_);
  auto const written = rest.empty() ? Result<>{} : current_->file->write_at(current_->synced + written_, rest);
  if (!written) return failed(written);
  written_ = unwritten_.size();
  if (!to_the_disk) return {};
  if (auto const synced = current_->file->sync(); !synced) return failed(synced);
  current_->synced += unwritten_.size();
  unwritten_.clear();
  written_ = 0;
  suspect_ = false;
  return {};
}

// ---- keeping house

void Segments::tidy_up() {
  if (!unwritten_.empty()) {
    auto const noted = flush(unwritten_.size() > most_unsynced);
    // What is not noted as forgotten is replayed in vain, no more; it must not hold memory.
    if (!noted && unwritten_.size() > most_unsynced) unwritten_.clear();
    written_ = std::min(written_, unwritten_.size());
  }
  move_forward();
  remove_needless();
  set_aside_space();
}

void Segments::close() {
  if (!unwritten_.empty() && flush(true)) remove_needless();
  finish_segment();
  remove_needless();
}

bool Segments::is_needless(std::uint64_t number) const {
  return segments_.at(number).waiting == 0 && !(current_ && current_->number == number);
}

/// The oldest first, and none before its elders: it may hold the notes that those are forgotten.
void Segments::remove_needless() {
  while (!segments_.empty() && is_needless(segments_.begin()->first)) {
    auto const [number, segment] = *segments_.begin();
    auto const name = file_name(number, segment_ending);
    auto const aside = file_name(number, aside_ending);
    auto const gone = segment.damaged ? files_.rename(name, aside) : files_.remove(name);
    if (!gone) return;
    if (segment.damaged) aside_.push_back(aside);
    segments_.erase(number);
  }
  remove_old_aside();
}

/// A file that is in nobody's way when it stays.
void Segments::discard(char const* name) {
  auto const removed = files_.remove(name);
  (void)removed;
}

void Segments::remove_old_aside() {
  while (aside_.size() > most_aside && files_.remove(aside_.front())) aside_.erase(aside_.begin());
}

void Segments::set_aside_space() {
  if (reserved_ || counts().disk_bytes + limits_.segment_bytes > limits_.most_bytes) return;
  auto file = files_.open(reserve_name);
  auto const made = file ? (*file)->allocate(limits_.segment_bytes) : std::unexpected{file.error()};
  reserved_ = made.has_value();
  if (!made && !said_no_reserve_) log_.error("journal has no reserve", {{"detail", made.error().detail}});
  said_no_reserve_ = !made;
  if (made) return;
  // Half a reserve only takes space from the others.
  file = base::fail(Fault::unavailable, "");
  discard(reserve_name);
}

/// When what waits is a small part of the files, the oldest file's share of it is written again at the end.
void Segments::move_forward() {
  if (!current_ || suspect_ || segments_.size() < 3) return;
  auto const [number, oldest] = *segments_.begin();
  if (oldest.waiting == 0 || number == current_->number) return;
  if (counts().disk_bytes < 4 * (live_bytes_ + limits_.segment_bytes)) return;
  auto const entries = entries_of(number);
  if (!entries) return;
  for (std::size_t from = 0; from < entries->size();) {
    auto to = from;
    for (std::uint64_t bytes = 0; to < entries->size() && (to == from || bytes < most_in_one_move); ++to)
      bytes += (*entries)[to].payload.size();
    if (!append(std::span{*entries}.subspan(from, to - from))) return;
    from = to;
  }
}

}  // namespace crm::journal
