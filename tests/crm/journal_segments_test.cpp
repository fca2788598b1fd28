#include <gtest/gtest.h>

#include "crm/journal/crc32c.h"
#include "crm/journal/segments.h"
#include "tests/crm/forgetful_files.h"

namespace {

using namespace crm::journal;
using test::ForgetfulFiles;
using test::PowerLost;
using Fate = ForgetfulFiles::Fate;

constexpr SegmentLimits small{.segment_bytes = 2048, .most_bytes = 1U << 20U};

std::string payload_of(std::string const& key, std::int64_t version, std::size_t length = 100) {
  auto text = key + " " + std::to_string(version) + " ";
  while (text.size() < length) text += '.';
  return text;
}

Entry entry(std::string key, std::int64_t version, std::size_t length = 100) {
  auto payload = payload_of(key, version, length);
  return {std::move(key), version, std::move(payload)};
}

std::map<std::string, std::int64_t> waiting(Segments& segments) {
  std::map<std::string, std::int64_t> all;
  for (Page page; !page.end;) {
    page = segments.read(page.last, 500);
    for (auto const& each : page.entries) {
      all[each.key] = each.version;
      EXPECT_TRUE(each.payload.starts_with(payload_of(each.key, each.version, 0)));
    }
  }
  return all;
}

/// One life of a journal after the other on the same disk.
class JournalSegments : public testing::Test {
 protected:
  Segments& restart(SegmentLimits limits = small) {
    segments.emplace(disk, limits, base::Log::silent());
    EXPECT_TRUE(segments->recover());
    return *segments;
  }
  void append(std::string const& key, std::int64_t version, std::size_t length = 100) {
    EXPECT_TRUE(segments->append(std::vector{entry(key, version, length)}));
  }
  using Waiting = std::map<std::string, std::int64_t>;

  ForgetfulFiles disk{1};
  std::optional<Segments> segments;
};

TEST_F(JournalSegments, keep_the_newest_version_of_each_key_over_a_loss_of_power) {
  restart();
  append("a", 1);
  append("b", 1);
  append("a", 3);
  append("a", 2);
  disk.lose_power();
  EXPECT_EQ(waiting(restart()), (Waiting{{"a", 3}, {"b", 1}}));
}

TEST_F(JournalSegments, forget_what_is_kept_elsewhere_but_nothing_newer) {
  restart();
  append("a", 1);
  append("b", 1);
  segments->forget("a", 1);
  segments->forget("b", 0);
  EXPECT_EQ(waiting(*segments), (Waiting{{"b", 1}}));
  segments->close();
  EXPECT_EQ(waiting(restart()), (Waiting{{"b", 1}}));
}

TEST_F(JournalSegments, leave_only_the_reserve_when_nothing_waits) {
  restart();
  for (int i = 0; i < 100; ++i) append("call_" + std::to_string(i), 1);
  EXPECT_GT(disk.names(".segment").size(), 5U);
  for (int i = 0; i < 100; ++i) segments->forget("call_" + std::to_string(i), 1);
  segments->tidy_up();
  EXPECT_EQ(disk.names(".segment").size(), 1U);
  segments->close();
  EXPECT_EQ(disk.names(""), std::vector<std::string>{"reserve"});
}

TEST_F(JournalSegments, do_not_grow_because_one_old_record_waits_among_many_that_do_not) {
  restart();
  append("old", 1);
  for (int i = 0; i < 2000; ++i) {
    append("call_" + std::to_string(i), 1);
    segments->forget("call_" + std::to_string(i), 1);
    segments->tidy_up();
    ASSERT_LT(segments->counts().disk_bytes, 10 * small.segment_bytes);
  }
  EXPECT_EQ(waiting(restart()), (Waiting{{"old", 1}}));
}

TEST_F(JournalSegments, take_a_record_larger_than_a_segment_and_refuse_one_over_the_limit) {
  restart();
  append("large", 1, 3 * small.segment_bytes);
  append("after", 1);
  auto const refused = segments->append(std::vector{entry("huge", 1, longest_payload + 1)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
  EXPECT_EQ(waiting(restart()), (Waiting{{"after", 1}, {"large", 1}}));
}

TEST_F(JournalSegments, stay_within_their_bound_and_go_on_when_something_is_forgotten) {
  restart({.segment_bytes = 2048, .most_bytes = 8 * 2048});
  int count = 0;
  while (count < 1000 && segments->append(std::vector{entry("call_" + std::to_string(count), 1)})) ++count;
  EXPECT_GT(count, 50);
  EXPECT_LT(count, 200);
  EXPECT_LE(segments->counts().disk_bytes, 8 * 2048U);
  for (int i = 0; i < count; ++i) segments->forget("call_" + std::to_string(i), 1);
  segments->tidy_up();
  append("more", 1);
}

TEST_F(JournalSegments, are_not_stopped_by_a_full_disk_until_the_reserve_is_gone) {
  restart();
  append("first", 1);
  segments->tidy_up();
  ASSERT_TRUE(segments->counts().reserved);
  disk.full = true;
  int kept = 0;
  while (segments->append(std::vector{entry("call_" + std::to_string(kept), 1)})) ++kept;
  EXPECT_GE(kept, 2 * 14) << "the rest of the current file and all of the reserve";
  segments->tidy_up();
  EXPECT_FALSE(segments->counts().reserved);
  disk.full = false;
  append("later", 1);
  segments->tidy_up();
  EXPECT_TRUE(segments->counts().reserved);
  EXPECT_EQ(waiting(restart()).size(), static_cast<std::size_t>(kept) + 2);
}

TEST_F(JournalSegments, save_what_a_damaged_file_still_holds_and_put_it_aside) {
  restart();
  for (int i = 0; i < 40; ++i) append("call_" + std::to_string(i), 1);
  auto const files = disk.names(".segment");
  ASSERT_GE(files.size(), 3U);
  disk.content(files[0])[segment_head_bytes + 200] ^= 1;
  disk.content(files[1]).resize(100);
  auto& last = disk.content(files.back());
  last[last.size() - 1] = 'x';
  restart();
  EXPECT_EQ(segments->counts().damaged_files, 3U);
  auto const left = waiting(*segments);
  EXPECT_GE(left.size(), 14U);
  EXPECT_FALSE(left.contains("call_1"));
  EXPECT_TRUE(left.contains("call_0") && left.contains("call_2") && left.contains("call_38"));
  EXPECT_EQ(disk.names(".damaged").size(), 3U);
  restart();
  EXPECT_EQ(segments->counts().damaged_files, 0U);
  EXPECT_EQ(waiting(*segments), left);
}

TEST_F(JournalSegments, keep_few_files_aside) {
  for (int life = 0; life < 10; ++life) {
    restart();
    append("call", life + 1);
    disk.content(disk.names(".segment").back())[20] ^= 1;
  }
  restart();
  EXPECT_EQ(disk.names(".damaged").size(), 4U);
}

TEST_F(JournalSegments, leave_a_file_of_a_later_version_and_one_that_cannot_be_read_alone) {
  std::string later{"SWJOURNL\x02\0\0\0", 12};
  auto const sum = crc32c(later);
  later.append(reinterpret_cast<char const*>(&sum), sizeof sum);
  std::string good = segment_head();
  append_record(good, {Kind::snapshot, "a", 1, payload_of("a", 1)});
  disk.add("000000000005.segment", later);
  disk.add("000000000006.segment", good);
  disk.add("000000000007.segment", good);
  disk.unreadable = "000000000006.segment";
  disk.add("not_ours.txt", "hello");
  restart();
  EXPECT_EQ(segments->counts().unread_files, 2U);
  EXPECT_EQ(waiting(*segments), (Waiting{{"a", 1}}));
  append("b", 1);
  segments->forget("a", 1);
  segments->tidy_up();
  EXPECT_EQ(disk.names(".segment"),
            (std::vector<std::string>{"000000000005.segment", "000000000006.segment", "000000000008.segment"}));
  EXPECT_EQ(disk.names("not_ours.txt").size(), 1U);
}

// ---- faults

/// What a history has been promised.
struct Promises {
  std::map<std::string, std::int64_t> acknowledged;
  std::map<std::string, std::int64_t> forgotten;

  void check(Segments& segments, std::string const& where) const {
    auto const found = waiting(segments);
    for (auto const& [key, version] : acknowledged) {
      auto const gone = forgotten.find(key);
      if (gone != forgotten.end() && gone->second >= version) continue;
      auto const it = found.find(key);
      ASSERT_TRUE(it != found.end()) << where << ": " << key << " is lost";
      ASSERT_GE(it->second, version) << where << ": " << key;
    }
  }
};

/// A history of appending, forgetting and tidying, by chance.
struct History {
  explicit History(unsigned seed) : dice{seed} {}

  void step(Segments& segments) {
    switch (dice() % 8) {
      case 0:
        segments.tidy_up();
        return;
      case 1:
      case 2:
        forget(segments);
        return;
      default:
        append(segments);
    }
  }

  void append(Segments& segments) {
    std::vector<Entry> batch;
    for (auto count = 1 + dice() % 3; count > 0; --count) {
      auto const key = "k" + std::to_string(dice() % 12);
      if (std::ranges::find(batch, key, &Entry::key) != batch.end()) continue;
      batch.push_back(entry(key, ++version, 20 + dice() % (dice() % 10 == 0 ? 5000 : 400)));
    }
    if (!segments.append(batch)) return;
    for (auto const& each : batch) promises.acknowledged[each.key] = each.version;
  }

  void forget(Segments& segments) {
    if (promises.acknowledged.empty()) return;
    auto each = promises.acknowledged.begin();
    std::advance(each, dice() % promises.acknowledged.size());
    promises.forgotten[each->first] = each->second;
    segments.forget(each->first, each->second);
  }

  std::mt19937 dice;
  Promises promises;
  std::int64_t version = 0;
};

/// One life on this disk, of so many steps; false when the power went.
bool live(ForgetfulFiles& disk, History& history, std::size_t steps) {
  try {
    Segments segments{disk, small, base::Log::silent()};
    if (!segments.recover()) return true;
    for (std::size_t i = 0; i < steps; ++i) history.step(segments);
    segments.close();
    return true;
  } catch (PowerLost const&) {
    return false;
  }
}

void check(ForgetfulFiles& disk, History const& history, std::string const& where) {
  disk.fate = [](std::size_t) { return Fate::works; };
  Segments segments{disk, small, base::Log::silent()};
  ASSERT_TRUE(segments.recover());
  history.promises.check(segments, where);
}

TEST(JournalPowerLoss, loses_nothing_acknowledged_whenever_it_comes) {
  int losses = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    ForgetfulFiles disk{seed};
    History history{seed};
    for (int life = 0; life < 6; ++life) {
      auto const from = disk.calls;
      auto const goes_at = 1 + history.dice() % 150;
      disk.fate = [&](std::size_t call) {
        if (call - from == goes_at) return Fate::power_goes;
        return history.dice() % 40 == 0 ? Fate::fails : Fate::works;
      };
      if (!live(disk, history, 60)) ++losses;
      disk.lose_power();
      check(disk, history, "seed " + std::to_string(seed) + " life " + std::to_string(life));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GT(losses, 2000);
}

TEST(JournalPowerLoss, loses_nothing_acknowledged_at_any_call_of_one_history) {
  constexpr unsigned seed = 4;
  std::size_t calls = 0;
  {
    ForgetfulFiles disk{seed};
    History history{seed};
    ASSERT_TRUE(live(disk, history, 80));
    calls = disk.calls;
  }
  ASSERT_GT(calls, 150U);
  for (std::size_t at = 1; at <= calls; ++at) {
    for (unsigned luck = 0; luck < 5; ++luck) {
      ForgetfulFiles disk{luck};
      History history{seed};
      disk.fate = [&](std::size_t call) { return call == at ? Fate::power_goes : Fate::works; };
      ASSERT_FALSE(live(disk, history, 80));
      disk.lose_power();
      check(disk, history, "call " + std::to_string(at));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(JournalDiskFull, at_any_call_costs_nothing_acknowledged_and_leaves_a_sound_journal) {
  constexpr unsigned seed = 11;
  std::size_t calls = 0;
  {
    ForgetfulFiles disk{seed};
    History history{seed};
    ASSERT_TRUE(live(disk, history, 80));
    calls = disk.calls;
  }
  for (std::size_t const span : {1, 2, 7, 40}) {
    for (std::size_t at = 1; at <= calls; ++at) {
      SCOPED_TRACE(testing::Message() << "calls " << at << " to " << at + span - 1 << " fail");
      ForgetfulFiles disk{seed};
      History history{seed};
      Segments segments{disk, small, base::Log::silent()};
      disk.fate = [&](std::size_t call) { return call >= at && call < at + span ? Fate::fails : Fate::works; };
      ASSERT_TRUE(segments.recover());
      for (int i = 0; i < 80; ++i) history.step(segments);
      disk.fate = [](std::size_t) { return Fate::works; };
      history.promises.check(segments, "running on");
      ASSERT_TRUE(segments.append(std::vector{entry("afterwards", ++history.version)}));
      segments.tidy_up();
      segments.tidy_up();
      EXPECT_TRUE(segments.counts().reserved);
      segments.close();
      Segments next{disk, small, base::Log::silent()};
      ASSERT_TRUE(next.recover());
      history.promises.check(next, "started again");
      EXPECT_TRUE(next.holds("afterwards"));
      if (span == 1) EXPECT_EQ(next.counts().damaged_files, 0U);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
