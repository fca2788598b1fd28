// The ledger with its journal: what the database has not taken outlives the process.
#include <future>

#include "crm/journal/call_record_json.h"
#include "crm/journal/posix_files.h"
#include "crm/ledger.h"
#include "gateway/base/task_group.h"
#include "tests/crm/call_scene.h"

namespace {

using crm::CallLedger;
using crm::CallStatus;
using crm::journal::Journal;
using crm::journal::PosixFiles;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

/// The calls table is somebody else's: writes hang.
class LockedCalls {
 public:
  explicit LockedCalls(std::string const& conninfo) : connection_{PQconnectdb(conninfo.c_str()), PQfinish} {
    for (auto const* text : {"begin", "lock table calls in access exclusive mode"})
      PQclear(PQexec(connection_.get(), text));
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

class JournalledLedger : public test::BusinessTest {
 protected:
  /// Everything that dies with a process.
  struct Life {
    Life(JournalledLedger& scene, CallLedger::Settings settings)
        : pool{scene.settings(1), scene.time},
          journal{std::in_place,
                  std::make_unique<PosixFiles>(scene.folder.path() / "journal", PosixFiles::Access::sole),
                  crm::journal::JournalSettings{.limits = {.segment_bytes = 1U << 20U}}, base::Log::silent(), metrics},
          ledger{scene.loop.get_executor(), pool, scene.time, base::Log::silent(), metrics, settings},
          tasks{scene.loop.get_executor()} {
      ledger.keep_in(*journal);
    }
    base::Metrics metrics;
    crm::pg::Pool pool;
    std::optional<Journal> journal;
    CallLedger ledger;
    base::TaskGroup tasks;
    double counted(std::string const& name) { return metrics.counter(name, "").Value(); }
  };

  void TearDown() override { end_life(); }
  Life& begin_life(CallLedger::Settings settings = quick()) {
    life.emplace(*this, settings);
    life->tasks.spawn(life->ledger.write());
    return *life;
  }
  /// As a kill does: nothing more is written to the database.
  void end_life() {
    if (!life) return;
    life->tasks.cancel_all();
    loop.restart();
    loop.run();
    // What its thread has still told the ledger must not find the next one.
    life->journal.reset();
    loop.restart();
    loop.run();
    life.reset();
  }
  static CallLedger::Settings quick() {
    return {.write_timeout = milliseconds{500},
            .away_after = milliseconds{100},
            .first_backoff = milliseconds{5},
            .longest_backoff = milliseconds{50}};
  }
  bool drained(milliseconds span = seconds{20}) { return run(life->ledger.drain(in(span))).has_value(); }
  bool caught_up() {
    return run([](CallLedger& ledger) -> base::Async<bool> {
      co_await ledger.caught_up();
      co_return true;
    }(life->ledger));
  }
  /// Its stream is open, so that it is neither a first snapshot nor a last.
  static crm::CallRecord talking(int number) {
    auto record = call(number);
    record.stream_count = 1;
    return record;
  }
  /// What waits on disk, by the journal's own word, when everything asked of it is done.
  std::uint64_t on_disk() {
    std::promise<void> done;
    life->journal->when_certain([&] { done.set_value(); });
    done.get_future().wait();
    return life->journal->state().records;
  }

  test::OpenFolder folder;
  std::optional<Life> life;
};

TEST_F(JournalledLedger, writes_to_the_database_what_an_earlier_life_could_not) {
  begin_life();
  life->ledger.save(call(1));
  ASSERT_TRUE(drained());
  kill_server();
  life->ledger.save(ended(call(1)));
  life->ledger.save(ended(call(2)));
  EXPECT_TRUE(drained()) << "safe on disk is as good";
  EXPECT_EQ(life->ledger.pending(), 2U);
  end_life();
  server()->revive();
  EXPECT_EQ(stored("call_1")->status, CallStatus::in_progress);

  begin_life();
  ASSERT_TRUE(caught_up());
  for (auto const* id : {"call_1", "call_2"}) {
    EXPECT_EQ(stored(id)->status, CallStatus::completed);
    EXPECT_EQ(stored(id)->ending, "caller_hung_up");
  }
  EXPECT_EQ(sql(conninfo, "select string_agg(call_id, ' ' order by call_id) from call_outcomes"), "call_1 call_2");
  EXPECT_EQ(life->counted("switchboard_ledger_replayed_total"), 2);
  EXPECT_EQ(on_disk(), 0U);
  EXPECT_EQ(life->ledger.pending(), 0U);
}

TEST_F(JournalledLedger, journals_the_end_of_a_call_also_while_the_database_is_there_and_then_forgets_it) {
  begin_life({.write_timeout = seconds{30}, .away_after = seconds{30}});
  life->ledger.save(talking(1));
  ASSERT_TRUE(drained());
  EXPECT_EQ(life->counted("switchboard_journal_written_total"), 0);
  auto lock = std::make_unique<LockedCalls>(conninfo);
  life->ledger.save(talking(2));
  life->ledger.save(ended(talking(1)));
  EXPECT_FALSE(drained(milliseconds{1}));
  EXPECT_EQ(on_disk(), 1U);
  lock.reset();
  ASSERT_TRUE(drained());
  EXPECT_EQ(on_disk(), 0U);
  EXPECT_EQ(stored("call_1")->status, CallStatus::completed);
}

TEST_F(JournalledLedger, knows_of_a_call_that_began_before_anybody_noticed_that_the_database_hangs) {
  begin_life({.write_timeout = seconds{30}, .away_after = seconds{30}});
  auto lock = std::make_unique<LockedCalls>(conninfo);
  life->ledger.save(call(1));
  life->ledger.save(call(2));
  EXPECT_FALSE(drained(milliseconds{1}));
  EXPECT_EQ(on_disk(), 2U);
  end_life();
  lock.reset();
  EXPECT_FALSE(stored("call_1"));
  begin_life();
  ASSERT_TRUE(caught_up());
  EXPECT_EQ(stored("call_1")->status, CallStatus::in_progress);
  EXPECT_EQ(stored("call_2")->status, CallStatus::in_progress);
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(JournalledLedger, journals_open_calls_too_while_the_database_is_away) {
  begin_life();
  kill_server();
  life->ledger.save(call(1));
  ASSERT_TRUE(drained());
  auto newer = call(1);
  newer.version = 5;
  newer.turns.push_back(turn(crm::Speaker::caller, "Hello?", "Hello?"));
  life->ledger.save(newer);
  ASSERT_TRUE(drained());
  EXPECT_EQ(on_disk(), 1U);
  end_life();
  server()->revive();
  begin_life();
  ASSERT_TRUE(caught_up());
  ASSERT_TRUE(stored("call_1"));
  EXPECT_EQ(stored("call_1")->version, 5);
  EXPECT_EQ(stored("call_1")->turns.size(), 1U);
}

TEST_F(JournalledLedger, writes_nothing_twice_and_nothing_older_when_it_replays) {
  {
    base::Metrics metrics;
    Journal journal{std::make_unique<PosixFiles>(folder.path() / "journal", PosixFiles::Access::sole),
                    {},
                    base::Log::silent(),
                    metrics};
    auto same = ended(call(1));
    same.turns.push_back(turn(crm::Speaker::agent, "Good bye.", "Good bye."));
    ASSERT_TRUE(save(same));
    journal.append({"call_1", same.version, crm::journal::encode(same)});
    auto newer = ended(call(2));
    newer.version = 9;
    ASSERT_TRUE(save(newer));
    auto const older = call(2);
    journal.append({"call_2", older.version, crm::journal::encode(older)});
  }
  auto const before = sql(conninfo, "select string_agg(calls::text || xmin::text, ',' order by id) from calls");
  begin_life();
  ASSERT_TRUE(caught_up());
  EXPECT_EQ(sql(conninfo, "select string_agg(calls::text || xmin::text, ',' order by id) from calls"), before);
  EXPECT_EQ(sql(conninfo, "select count(*) from call_turns"), "1");
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(JournalledLedger, keeps_what_the_database_refuses_and_tries_it_at_the_next_start) {
  begin_life();
  auto stranger = ended(call(1));
  stranger.tenant = base::TenantId{"ten_2"};
  life->ledger.save(stranger);
  life->ledger.save(ended(call(2)));
  ASSERT_TRUE(drained());
  EXPECT_TRUE(stored("call_2"));
  EXPECT_EQ(life->counted("switchboard_ledger_refused_total"), 1);
  EXPECT_EQ(life->counted("switchboard_ledger_lost_total"), 0);
  EXPECT_EQ(on_disk(), 1U);
  end_life();
  sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Late')");
  begin_life();
  ASSERT_TRUE(caught_up());
  EXPECT_TRUE(stored("call_1"));
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(JournalledLedger, holds_few_calls_in_memory_and_the_rest_on_disk) {
  auto settings = quick();
  settings.most_waiting = 10;
  settings.most_at_once = 4;
  begin_life(settings);
  kill_server();
  for (int i = 1; i <= 60; ++i) life->ledger.save(ended(call(i)));
  for (int i = 1; i <= 60; ++i) {
    auto newest = ended(call(i));
    newest.version = 7;
    life->ledger.save(newest);
  }
  ASSERT_TRUE(drained());
  EXPECT_LE(life->ledger.pending(), 14U);
  EXPECT_EQ(on_disk(), 60U);
  server()->revive();
  while (sql(conninfo, "select count(*) from calls where version = 7") != "60") {
    loop.restart();
    loop.run_for(milliseconds{20});
  }
  ASSERT_TRUE(drained());
  EXPECT_EQ(life->counted("switchboard_ledger_lost_total"), 0);
}

TEST_F(JournalledLedger, leaves_a_record_that_it_cannot_read_where_it_is) {
  {
    base::Metrics metrics;
    Journal journal{std::make_unique<PosixFiles>(folder.path() / "journal", PosixFiles::Access::sole),
                    {},
                    base::Log::silent(),
                    metrics};
    journal.append({"call_1", 3, R"({"form":99})"});
    journal.append({"call_2", 2, crm::journal::encode(ended(call(2)))});
  }
  begin_life();
  ASSERT_TRUE(caught_up());
  EXPECT_TRUE(stored("call_2"));
  EXPECT_EQ(on_disk(), 1U);
}

TEST_F(JournalledLedger, is_content_with_the_disk_when_the_database_hangs) {
  begin_life();
  life->ledger.save(call(1));
  ASSERT_TRUE(drained());
  auto const lock = std::make_unique<LockedCalls>(conninfo);
  life->ledger.save(ended(call(1)));
  EXPECT_TRUE(drained(seconds{4}));
  EXPECT_EQ(on_disk(), 1U);
}

}  // namespace
