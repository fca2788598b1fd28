#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "crm/journal/files.h"
#include "crm/journal/segment_format.h"
#include "gateway/base/log.h"

namespace crm::journal {

/// What is to be kept: the newest version of a key makes the older ones needless.
struct Entry {
  std::string key;
  std::int64_t version = 0;
  std::string payload;
};

/// Where a record stands; the order of places is the order of writing.
struct Place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  auto operator<=>(Place const&) const = default;
};

/// Some of what waits, in order.
struct Page {
  std::vector<Entry> entries;
  std::vector<Place> places;  ///< Of the entries, one each.
  Place last;                 ///< Of this page: read on behind it.
  bool end = false;
};

struct SegmentLimits {
  std::uint64_t segment_bytes = 16U << 20U;  ///< Reserved on disk at once, and kept reserved once more.
  std::uint64_t most_bytes = 4ULL << 30U;    ///< Of all files together.
};

struct SegmentCounts {
  std::uint64_t waiting_records = 0;
  std::uint64_t waiting_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t damaged_files = 0;  ///< Found since the start.
  std::uint64_t unread_files = 0;   ///< Could not be read, or are of a later version; left alone.
  bool reserved = false;            ///< The next file's space is set aside.
};

/// The journal as files: numbered segments, of which the last is written. A record is kept once append() has succeeded;
/// a segment goes when nothing in it waits any more. Survives any fault of the disk: what failed can be tried again.
/// Blocks; for one thread at a time.
class Segments {
 public:
  Segments(Files& files, SegmentLimits limits, base::Log log);

  /// Reads what an earlier life left; once, before anything else. Damaged files are read as far as possible and kept
  /// aside.
  base::Result<> recover();
  /// Writes all of these and waits for the disk; together, or the fault and none of them counts.
  base::Result<> append(std::span<Entry const> entries);
  /// What is kept of the key up to this version waits no longer. Written with the next append() or tidy_up(), but not
  /// waited for: a forgotten record that comes back does no harm.
  void forget(std::string const& key, std::int64_t version);
  /// Writes down what was forgotten, removes needless files, sets space aside for the next one, and moves old records
  /// forward when few of them hold much space.
  void tidy_up();
  /// The last tidy_up(): leaves no file when nothing waits.
  void close();

  /// What waits behind `place`, up to about so many bytes.
  Page read(Place place, std::uint64_t most_bytes);
  bool holds(std::string const& key) const { return live_.contains(key); }
  std::vector<std::string> keys() const;
  SegmentCounts counts() const;

 private:
  struct Segment {
    std::uint64_t bytes = 0;  ///< On disk.
    std::uint64_t waiting = 0;
    bool damaged = false;  ///< To be kept aside when nothing in it waits any more.
  };
  struct Live {
    std::int64_t version = 0;
    Place place;
    std::uint64_t bytes = 0;
  };
  struct Current {
    std::uint64_t number = 0;
    std::unique_ptr<File> file;
    std::uint64_t size = 0;    ///< Reserved.
    std::uint64_t synced = 0;  ///< Everything before is certain; the next byte goes here.
  };

  base::Result<> recover_segment(std::string const& name, std::uint64_t number);
  void found(Found const& record, std::uint64_t number);
  void rescue();
  void keep(std::string const& key, Live live);
  bool drop(std::string const& key, std::int64_t version);

  base::Result<> make_room(std::uint64_t bytes);
  base::Result<> begin_segment(std::uint64_t bytes);
  base::Result<> begin_in(std::string const& name, std::uint64_t size, bool reserved);
  base::Result<> flush(bool to_the_disk);
  void finish_segment();
  bool is_needless(std::uint64_t number) const;
  void remove_needless();
  void discard(char const* name);
  void remove_old_aside();
  void set_aside_space();
  void move_forward();
  base::Result<std::vector<Entry>> entries_of(std::uint64_t number);
  std::optional<Entry> read_entry(std::string const& key, Live const& live);

  Files& files_;
  SegmentLimits limits_;
  base::Log log_;
  std::map<std::uint64_t, Segment> segments_;  // the current one included
  std::unordered_map<std::string, Live> live_;
  std::map<Place, std::string> order_;  // the keys of live_ by place
  std::map<std::string, std::int64_t> forgotten_while_reading_;
  std::vector<std::string> aside_;
  std::optional<Current> current_;
  std::string unwritten_;    // of the current segment, behind `synced`
  std::size_t written_ = 0;  // so much of `unwritten_` is written but not synced
  std::uint64_t last_number_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t damaged_files_ = 0;
  std::uint64_t unread_files_ = 0;
  bool suspect_ = false;  // the last write or sync of the current segment failed
  bool directory_unsynced_ = false;
  bool reserved_ = false;
  bool said_no_reserve_ = false;
};

}  // namespace crm::journal
