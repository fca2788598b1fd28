#include "crm/journal/journal.h"

#include <utility>

#include "gateway/base/background.h"

namespace crm::journal {
namespace {

/// Of payload that shares one sync; a segment has room for several.
constexpr std::size_t most_in_one_sync = 512U << 10U;

}  // namespace

Journal::Journal(std::unique_ptr<Files> files, JournalSettings settings, base::Log log, base::Metrics& metrics)
    : files_{std::move(files)},
      settings_{settings},
      log_{log},
      segments_{*files_, settings.limits, std::move(log)},
      journalled_{metrics.counter("switchboard_journal_written_total", "Call snapshots made certain on disk")},
      failures_{metrics.counter("switchboard_journal_failures_total", "Writes to the journal that failed")},
      damaged_{metrics.counter("switchboard_journal_damaged_files_total", "Journal files found damaged")},
      records_{metrics.gauge("switchboard_journal_waiting_records", "Call snapshots on disk, not yet in the database")},
      bytes_{metrics.gauge("switchboard_journal_waiting_bytes", "Size of the call snapshots that wait on disk")},
      disk_bytes_{metrics.gauge("switchboard_journal_disk_bytes", "Size of the journal's files")},
      reserve_{
          metrics.gauge("switchboard_journal_reserved", "1 while disk space for the next journal file is set aside")},
      thread_{[this] {
        base::stand_behind_media();
        run();
      }} {}

Journal::~Journal() {
  {
    std::lock_guard const lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Journal::append(Entry entry) {
  if (entry.key.size() > longest_key || entry.payload.size() > longest_payload) {
    failures_.Increment();
    log_.error("too large for the journal", {{"key", entry.key}, {"bytes", entry.payload.size()}});
    return false;
  }
  {
    std::lock_guard const lock{mutex_};
    auto const waits = asked_.entries.find(entry.key);
    if (waits == asked_.entries.end()) {
      if (asked_.entries.size() >= settings_.most_queued) return false;
      if (asked_.order.size() > 2 * settings_.most_queued) drop_from_order();
      asked_.order.push_back(entry.key);
      auto key = entry.key;
      asked_.entries.emplace(std::move(key), std::move(entry));
    } else if (waits->second.version < entry.version) {
      waits->second = std::move(entry);
    }
  }
  wake_.notify_one();
  return true;
}

void Journal::forget(std::string const& key, std::int64_t version) {
  {
    std::lock_guard const lock{mutex_};
    if (auto const waits = asked_.entries.find(key); waits != asked_.entries.end() && waits->second.version <= version)
      asked_.entries.erase(waits);
    if (recovered_ && !taken_.contains(key)) return;
    auto& newest = asked_.forgotten.try_emplace(key, version).first->second;
    newest = std::max(newest, version);
  }
  wake_.notify_one();
}

/// Keys that were forgotten before they were written.
void Journal::drop_from_order() {
  std::erase_if(asked_.order, [this](auto const& key) { return !asked_.entries.contains(key); });
}

void Journal::when_certain(std::function<void()> then) {
  {
    std::lock_guard const lock{mutex_};
    asked_.certain.push_back(std::move(then));
  }
  wake_.notify_one();
}

void Journal::read(Place place, std::uint64_t most_bytes, std::function<void(Page)> then) {
  {
    std::lock_guard const lock{mutex_};
    asked_.reads.push_back({place, most_bytes, std::move(then)});
  }
  wake_.notify_one();
}

Journal::State Journal::state() const {
  std::lock_guard const lock{mutex_};
  return state_;
}

// ---- the journal's thread

void Journal::run() {
  // Without knowing what is there, nothing may be written: it could take the place of something.
  if (!recover()) return;
  for (;;) {
    Work work;
    bool const goes_on = wait_for_work(work);
    do_work(work);
    if (!goes_on) break;
  }
  segments_.close();
}

/// False when this is the last time.
bool Journal::wait_for_work(Work& work) {
  std::unique_lock lock{mutex_};
  // A disk that failed gets its pause; forgetting and reading do not wait for it.
  auto const due = [this] {
    return stopping_ || (failing_ ? !asked_.forgotten.empty() || !asked_.reads.empty() : !asked_.empty());
  };
  if (failing_)
    wake_.wait_for(lock, settings_.retry_after, due);
  else
    wake_.wait(lock, due);
  std::swap(work, asked_);
  for (auto const& [key, entry] : work.entries) taken_.insert(key);
  return !stopping_;
}

/// False when the journal was destroyed before it could be read.
bool Journal::recover() {
  for (;;) {
    auto const recovered = segments_.recover();
    std::unique_lock lock{mutex_};
    if (recovered) {
      for (auto& key : segments_.keys()) taken_.insert(std::move(key));
      recovered_ = true;
      failing_ = false;
      lock.unlock();
      show();
      return true;
    }
    failures_.Increment();
    if (!std::exchange(failing_, true))
      log_.error("journal folder cannot be read", {{"detail", recovered.error().detail}});
    state_.failing = true;
    if (wake_.wait_for(lock, settings_.retry_after, [this] { return stopping_; })) return false;
  }
}

void Journal::do_work(Work& work) {
  bool const written = write(work);
  note_forgotten(work);
  segments_.tidy_up();
  if (!written) put_back(work);
  settle(work, !written);
  show();
  if (written)
    for (auto const& then : work.certain) then();
  for (auto const& request : work.reads) request.then(segments_.read(request.place, request.most_bytes));
}

/// Writes the entries in the order in which their keys came; takes out what is written.
bool Journal::write(Work& work) {
  while (!work.order.empty()) {
    std::vector<Entry> together;
    std::size_t bytes = 0;
    std::size_t looked_at = 0;
    for (; looked_at < work.order.size() && bytes < most_in_one_sync; ++looked_at) {
      auto const found = work.entries.find(work.order[looked_at]);
      if (found == work.entries.end()) continue;
      bytes += found->second.payload.size();
      together.push_back(found->second);
    }
    auto const written = segments_.append(together);
    if (!written) {
      failures_.Increment();
      if (!failing_) log_.error("journal cannot be written", {{"detail", written.error().detail}});
      return false;
    }
    journalled_.Increment(static_cast<double>(together.size()));
    for (auto const& entry : together) work.entries.erase(entry.key);
    work.order.erase(work.order.begin(), work.order.begin() + static_cast<std::ptrdiff_t>(looked_at));
  }
  return true;
}

void Journal::note_forgotten(Work const& work) {
  for (auto const& [key, version] : work.forgotten) segments_.forget(key, version);
}

/// What could not be written waits for the next attempt, unless it has become needless meanwhile.
void Journal::put_back(Work& work) {
  std::lock_guard const lock{mutex_};
  std::deque<std::string> order;
  for (auto const& key : work.order) {
    auto const found = work.entries.find(key);
    if (found == work.entries.end()) continue;
    auto const version = found->second.version;
    auto const needless = [&](auto const& forgotten) {
      auto const it = forgotten.find(key);
      return it != forgotten.end() && it->second >= version;
    };
    bool const stays = !needless(work.forgotten) && !needless(asked_.forgotten) && !asked_.entries.contains(key);
    if (!stays) continue;
    order.push_back(key);
    asked_.entries.emplace(key, std::move(found->second));
  }
  asked_.order.insert(asked_.order.begin(), order.begin(), order.end());
  asked_.certain.insert(asked_.certain.begin(), std::make_move_iterator(work.certain.begin()),
                        std::make_move_iterator(work.certain.end()));
}

/// What other threads may know of the work just done.
void Journal::settle(Work const& work, bool failed) {
  std::lock_guard const lock{mutex_};
  for (auto const& [key, version] : work.forgotten)
    if (!segments_.holds(key)) taken_.erase(key);
  if (std::exchange(failing_, failed) && !failed) log_.info("journal can be written again");
}

void Journal::show() {
  auto const counts = segments_.counts();
  records_.Set(static_cast<double>(counts.waiting_records));
  bytes_.Set(static_cast<double>(counts.waiting_bytes));
  disk_bytes_.Set(static_cast<double>(counts.disk_bytes));
  reserve_.Set(counts.reserved ? 1 : 0);
  auto const damaged = static_cast<double>(counts.damaged_files);
  damaged_.Increment(damaged - std::exchange(damaged_shown_, damaged));
  std::lock_guard const lock{mutex_};
  state_ = {counts.waiting_records, counts.waiting_bytes, failing_, counts.reserved};
}

}  // namespace crm::journal
