#include "crm/journal/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "crm/journal/posix_files.h"
#include "crm/journal/survey.h"
#include "tests/crm/scene.h"

namespace {

using namespace crm::journal;
namespace fs = std::filesystem;

Entry entry(std::string key, std::int64_t version) {
  auto payload = key + " " + std::to_string(version);
  return {std::move(key), version, std::move(payload)};
}

/// Real files whose syncs wait or fail when told to, and are counted.
class GatedFiles final : public Files {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = true;
    std::atomic<bool> failing = false;
    std::atomic<int> syncs = 0;
    std::atomic<int> waiting = 0;

    void set(bool now) {
      std::lock_guard const lock{mutex};
      open = now;
      opened.notify_all();
    }
    base::Result<> pass() {
      std::unique_lock lock{mutex};
      ++waiting;
      opened.wait(lock, [this] { return open; });
      --waiting;
      ++syncs;
      if (failing) return base::fail(base::Fault::unavailable, "Input/output error");
      return {};
    }
  };

  GatedFiles(fs::path const& folder, std::shared_ptr<Gate> gate)
      : real_{folder, PosixFiles::Access::sole}, gate_{std::move(gate)} {}
  base::Result<std::unique_ptr<File>> open(std::string const& name) override {
    auto file = real_.open(name);
    if (!file) return file;
    return std::make_unique<Gated>(*std::move(file), gate_);
  }
  base::Result<std::string> read(std::string const& name, std::uint64_t offset, std::uint64_t most) override {
    return real_.read(name, offset, most);
  }
  base::Result<std::vector<std::string>> list() override { return real_.list(); }
  base::Result<> rename(std::string const& from, std::string const& to) override { return real_.rename(from, to); }
  base::Result<> remove(std::string const& name) override { return real_.remove(name); }
  base::Result<> sync_directory() override { return real_.sync_directory(); }

 private:
  class Gated final : public File {
   public:
    Gated(std::unique_ptr<File> real, std::shared_ptr<Gate> gate) : real_{std::move(real)}, gate_{std::move(gate)} {}
    base::Result<> write_at(std::uint64_t at, std::string_view bytes) override { return real_->write_at(at, bytes); }
    base::Result<> sync() override {
      auto const passed = gate_->pass();
      return passed ? real_->sync() : passed;
    }
    base::Result<> allocate(std::uint64_t bytes) override { return real_->allocate(bytes); }
    base::Result<> truncate(std::uint64_t bytes) override { return real_->truncate(bytes); }

   private:
    std::unique_ptr<File> real_;
    std::shared_ptr<Gate> gate_;
  };

  PosixFiles real_;
  std::shared_ptr<Gate> gate_;
};

class JournalThread : public testing::Test {
 protected:
  void start(std::size_t most_queued = 10'000) {
    journal.emplace(std::make_unique<GatedFiles>(path, gate),
                    JournalSettings{.limits = {.segment_bytes = 64U << 10U},
                                    .retry_after = std::chrono::milliseconds{1},
                                    .most_queued = most_queued},
                    base::Log::silent(), metrics);
  }
  std::future<void> certain() {
    auto const done = std::make_shared<std::promise<void>>();
    journal->when_certain([done] { done->set_value(); });
    return done->get_future();
  }
  static bool comes(std::future<void> const& future) {
    return future.wait_for(std::chrono::seconds{30}) == std::future_status::ready;
  }
  std::vector<std::string> kept() {
    std::promise<Page> page;
    journal->read({}, 1U << 20U, [&](Page read) { page.set_value(std::move(read)); });
    std::vector<std::string> all;
    for (auto const& each : page.get_future().get().entries) all.push_back(each.payload);
    std::ranges::sort(all);
    return all;
  }
  double counted(std::string const& name) { return metrics.counter(name, "").Value(); }
  using Kept = std::vector<std::string>;

  test::OpenFolder folder;
  fs::path path = folder.path() / "journal";
  std::shared_ptr<GatedFiles::Gate> gate = std::make_shared<GatedFiles::Gate>();
  base::Metrics metrics;
  std::optional<Journal> journal;
};

TEST_F(JournalThread, has_everything_after_a_restart) {
  start();
  for (int i = 0; i < 2000; ++i) journal->append(entry("call_" + std::to_string(i), 1));
  ASSERT_TRUE(comes(certain()));
  journal.reset();
  start();
  EXPECT_EQ(kept().size(), 2000U);
  EXPECT_EQ(journal->state().records, 2000U);
}

TEST_F(JournalThread, syncs_once_for_all_that_came_while_the_disk_was_busy) {
  start();
  ASSERT_TRUE(comes(certain()));
  gate->set(false);
  journal->append(entry("first", 1));
  for (int version = 1; version <= 20; ++version)
    for (int i = 0; i < 100; ++i) journal->append(entry("call_" + std::to_string(i), version));
  auto const before = gate->syncs.load();
  gate->set(true);
  ASSERT_TRUE(comes(certain()));
  EXPECT_LE(gate->syncs - before, 3);
  EXPECT_LE(counted("switchboard_journal_written_total"), 201);
  EXPECT_EQ(kept().size(), 101U);
}

TEST_F(JournalThread, never_makes_anybody_wait_for_the_disk) {
  start();
  ASSERT_TRUE(comes(certain()));
  gate->set(false);
  for (int i = 0; i < 100; ++i) journal->append(entry("call", i));
  journal->forget("call", 50);
  auto const later = certain();
  EXPECT_EQ(journal->state().records, 0U);
  EXPECT_EQ(later.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  gate->set(true);
  EXPECT_TRUE(comes(later));
  EXPECT_EQ(kept(), Kept{"call 99"});
}

TEST_F(JournalThread, tries_again_until_the_disk_works_and_does_not_claim_before) {
  start();
  ASSERT_TRUE(comes(certain()));
  gate->failing = true;
  journal->append(entry("a", 1));
  journal->append(entry("b", 1));
  auto const later = certain();
  while (!journal->state().failing || counted("switchboard_journal_failures_total") < 3) std::this_thread::yield();
  journal->append(entry("a", 2));
  journal->forget("b", 1);
  EXPECT_EQ(later.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  gate->failing = false;
  ASSERT_TRUE(comes(later));
  EXPECT_EQ(kept(), Kept{"a 2"});
  EXPECT_FALSE(journal->state().failing);
}

TEST_F(JournalThread, is_empty_again_when_all_is_forgotten) {
  start();
  for (int i = 0; i < 500; ++i) journal->append(entry("call_" + std::to_string(i), 1));
  for (int i = 0; i < 500; ++i) journal->forget("call_" + std::to_string(i), 1);
  ASSERT_TRUE(comes(certain()));
  EXPECT_EQ(kept(), Kept{});
  EXPECT_EQ(journal->state().bytes, 0U);
  journal.reset();
  start();
  EXPECT_EQ(kept(), Kept{});
}

TEST_F(JournalThread, refuses_what_is_too_large_and_goes_on) {
  start();
  EXPECT_FALSE(journal->append({"call_1", 1, std::string(longest_payload + 1, 'x')}));
  EXPECT_FALSE(journal->append({std::string(longest_key + 1, 'k'), 1, "{}"}));
  EXPECT_TRUE(journal->append(entry("call_2", 1)));
  ASSERT_TRUE(comes(certain()));
  EXPECT_EQ(kept(), Kept{"call_2 1"});
}

TEST_F(JournalThread, has_a_bound_while_the_disk_hangs_and_needs_nothing_for_what_is_forgotten) {
  start(/*most_queued=*/10);
  ASSERT_TRUE(comes(certain()));
  gate->set(false);
  journal->append(entry("in_hand", 1));
  while (gate->waiting == 0) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) {
    auto const key = "call_" + std::to_string(i);
    EXPECT_TRUE(journal->append(entry(key, 1)));
    journal->forget(key, 1);
  }
  int taken = 0;
  while (taken < 1000 && journal->append(entry("more_" + std::to_string(taken), 1))) ++taken;
  EXPECT_EQ(taken, 10);
  EXPECT_TRUE(journal->append(entry("more_0", 2)));
  gate->set(true);
  ASSERT_TRUE(comes(certain()));
  EXPECT_EQ(kept().size(), 11U);
}

TEST_F(JournalThread, can_be_surveyed_while_it_runs) {
  start();
  journal->append(entry("a", 1));
  journal->append(entry("b", 1));
  ASSERT_TRUE(comes(certain()));
  journal->append(entry("a", 2));
  journal->forget("b", 1);
  ASSERT_TRUE(comes(certain()));
  PosixFiles files{path, PosixFiles::Access::shared};
  auto const found = survey(files);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->waiting.size(), 1U);
  EXPECT_EQ(found->waiting[0].payload, "a 2");
  EXPECT_EQ(found->damaged_files + found->unread_files, 0U);
}

class JournalFolder : public testing::Test {
 protected:
  static mode_t mode(fs::path const& file) {
    struct stat about{};
    EXPECT_EQ(::stat(file.c_str(), &about), 0) << file;
    return about.st_mode & 07777U;
  }
  test::OpenFolder folder;
  fs::path path = folder.path() / "data" / "journal";
};

TEST_F(JournalFolder, is_for_its_owner_alone_also_when_it_was_not) {
  fs::create_directories(path);
  ::chmod(path.c_str(), 0755);
  PosixFiles files{path, PosixFiles::Access::sole};
  ASSERT_TRUE((*files.open("000000000001.segment"))->write_at(3, "abc"));
  EXPECT_EQ(mode(path), 0700U);
  EXPECT_EQ(mode(path / "000000000001.segment"), 0600U);
  EXPECT_EQ(mode(path / "lock"), 0600U);
  EXPECT_EQ(files.read("000000000001.segment", 2, 2), (std::string{"\0a", 2}));
}

TEST_F(JournalFolder, is_held_by_one_process_at_a_time) {
  PosixFiles const first{path, PosixFiles::Access::sole};
  try {
    PosixFiles const second{path, PosixFiles::Access::sole};
    FAIL() << "two hold it";
  } catch (std::runtime_error const& error) {
    EXPECT_NE(std::string{error.what()}.find("another Switchboard"), std::string::npos);
    EXPECT_NE(std::string{error.what()}.find("SWITCHBOARD_DATA_DIR"), std::string::npos);
  }
}

TEST_F(JournalFolder, that_cannot_be_had_is_refused_in_a_sentence) {
  fs::create_directories(path.parent_path());
  std::ofstream{path} << "a file";
  try {
    PosixFiles const files{path, PosixFiles::Access::sole};
    FAIL() << "a file is no folder";
  } catch (std::runtime_error const& error) {
    EXPECT_NE(std::string{error.what()}.find(path.string()), std::string::npos);
    EXPECT_NE(std::string{error.what()}.find("SWITCHBOARD_DATA_DIR"), std::string::npos);
  }
}

TEST_F(JournalFolder, reserves_space_that_is_really_taken) {
  PosixFiles files{path, PosixFiles::Access::sole};
  auto const file = files.open("reserve");
  ASSERT_TRUE((*file)->allocate(1U << 20U));
  struct stat about{};
  ASSERT_EQ(::stat((path / "reserve").c_str(), &about), 0);
  EXPECT_GE(about.st_blocks * 512, 1 << 20);
}

}  // namespace
