#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "crm/journal/segments.h"
#include "gateway/base/metrics.h"

namespace crm::journal {

struct JournalSettings {
  SegmentLimits limits{};
  std::chrono::milliseconds retry_after{200};  ///< A disk that failed.
  std::size_t most_queued = 100'000;           ///< Entries in memory because the disk is slow or fails.
};

/// Keeps on disk what has not reached the database yet. All work with the disk is done by one thread of its own, so
/// that nobody ever waits for it; what comes in while the disk is busy shares the next sync. What the disk refuses is
/// tried again until it succeeds or is forgotten. Holds one entry a key in memory at most.
class Journal {
 public:
  /// Starts the thread, which first reads what an earlier life left; everything asked meanwhile is done after that.
  Journal(std::unique_ptr<Files> files, JournalSettings settings, base::Log log, base::Metrics& metrics);
  /// Tries once more to write what has not been written, and joins the thread.
  ~Journal();
  Journal(Journal const&) = delete;
  Journal& operator=(Journal const&) = delete;

  /// Any thread; returns at once. A newer version replaces an older one that still waits for the disk. False when
  /// the entry is over a limit of the format, which is also logged, or when too many wait.
  bool append(Entry entry);
  /// The key up to this version is safe elsewhere; any thread, returns at once.
  void forget(std::string const& key, std::int64_t version);
  /// `then` is called, on the journal's thread, when everything appended so far is certain or forgotten.
  void when_certain(std::function<void()> then);
  /// What is kept behind `place`; `then` is called on the journal's thread. Destroying the journal drops both requests.
  void read(Place place, std::uint64_t most_bytes, std::function<void(Page)> then);

  struct State {
    std::uint64_t records = 0;  ///< That wait on disk,
    std::uint64_t bytes = 0;    ///< and their size.
    bool failing = false;       ///< The last attempt to write failed.
    bool reserved = false;      ///< There is space set aside for when the disk is full.
  };
  /// Any thread.
  State state() const;

 private:
  struct ReadRequest {
    Place place;
    std::uint64_t most_bytes = 0;
    std::function<void(Page)> then;
  };
  /// What was asked since the thread looked last.
  struct Work {
    std::unordered_map<std::string, Entry> entries;
    std::deque<std::string> order;  ///< Keys of `entries`, and perhaps some that were forgotten.
    std::unordered_map<std::string, std::int64_t> forgotten;
    std::vector<std::function<void()>> certain;
    std::vector<ReadRequest> reads;
    bool empty() const { return entries.empty() && forgotten.empty() && certain.empty() && reads.empty(); }
  };

  void drop_from_order();
  void run();
  bool wait_for_work(Work& work);
  bool recover();
  void do_work(Work& work);
  bool write(Work& work);
  void put_back(Work& work);
  void note_forgotten(Work const& work);
  void settle(Work const& work, bool failed);
  void show();

  std::unique_ptr<Files> files_;
  JournalSettings settings_;
  base::Log log_;
  Segments segments_;
  prometheus::Counter& journalled_;
  prometheus::Counter& failures_;
  prometheus::Counter& damaged_;
  prometheus::Gauge& records_;
  prometheus::Gauge& bytes_;
  prometheus::Gauge& disk_bytes_;
  prometheus::Gauge& reserve_;
  double damaged_shown_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Work asked_;
  std::unordered_set<std::string> taken_;  // keys on disk or in the thread's hands; incomplete before recovered_
  State state_;
  bool recovered_ = false;
  bool failing_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace crm::journal
