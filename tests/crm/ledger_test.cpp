#include "crm/ledger.h"

#include <thread>

#include "gateway/base/task_group.h"
#include "tests/crm/call_scene.h"

namespace {

using base::Fault;
using crm::CallLedger;
using crm::CallStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

class Ledger : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    pool.emplace(settings(1), time);
    ledger.emplace(loop.get_executor(), *pool, time, base::Log::silent(), metrics,
                   CallLedger::Settings{.most_waiting = 3,
                                        .write_timeout = milliseconds{500},
                                        .first_backoff = milliseconds{5},
                                        .longest_backoff = milliseconds{50}});
    tasks.emplace(loop.get_executor());
  }

  void TearDown() override {
    if (!tasks) return;
    tasks->cancel_all();
    loop.restart();
    loop.run();
  }

  void start_writer() { tasks->spawn(ledger->write()); }
  /// Lets the loop take in what was saved.
  void take_in() {
    loop.restart();
    loop.poll();
  }
  bool drained(milliseconds span = seconds{20}) { return run(ledger->drain(in(span))).has_value(); }
  double counted(std::string const& name) { return metrics.counter(name, "").Value(); }

  base::Metrics metrics;
  std::optional<crm::pg::Pool> pool;
  std::optional<CallLedger> ledger;
  std::optional<base::TaskGroup> tasks;
};

TEST_F(Ledger, writes_what_was_saved) {
  start_writer();
  ledger->save(call());
  EXPECT_EQ(ledger->pending(), 1U);
  ASSERT_TRUE(drained());
  EXPECT_EQ(ledger->pending(), 0U);
  EXPECT_EQ(stored("call_1")->status, CallStatus::in_progress);
}

TEST_F(Ledger, writes_only_the_newest_of_the_snapshots_that_wait) {
  auto last = ended(call());
  last.version = 4;
  auto middle = call();
  middle.version = 2;
  ledger->save(call());
  ledger->save(last);
  ledger->save(middle);
  take_in();
  EXPECT_EQ(ledger->pending(), 1U);
  start_writer();
  ASSERT_TRUE(drained());
  EXPECT_EQ(counted("switchboard_ledger_written_total"), 1);
  EXPECT_EQ(stored("call_1")->version, 4);
  EXPECT_EQ(stored("call_1")->status, CallStatus::completed);
}

TEST_F(Ledger, keeps_calls_while_the_database_is_away_and_writes_them_when_it_is_back) {
  start_writer();
  ledger->save(call(1));
  ASSERT_TRUE(drained());
  kill_server();
  ledger->save(ended(call(1)));
  ledger->save(call(2));
  EXPECT_FALSE(drained(milliseconds{200}));
  ledger->save(ended(call(2)));
  EXPECT_FALSE(drained(milliseconds{200}));
  server()->revive();
  ASSERT_TRUE(drained());
  EXPECT_EQ(stored("call_1")->status, CallStatus::completed);
  EXPECT_EQ(stored("call_2")->status, CallStatus::completed);
  EXPECT_GT(counted("switchboard_ledger_retries_total"), 0);
  EXPECT_EQ(counted("switchboard_ledger_lost_total"), 0);
}

TEST_F(Ledger, is_not_held_up_by_a_record_that_the_database_refuses) {
  auto stranger = call(1);
  stranger.tenant = base::TenantId{"ten_gone"};
  ledger->save(stranger);
  ledger->save(call(2));
  start_writer();
  ASSERT_TRUE(drained());
  EXPECT_FALSE(stored("call_1"));
  EXPECT_TRUE(stored("call_2"));
  EXPECT_EQ(counted("switchboard_ledger_lost_total"), 1);
}

TEST_F(Ledger, settles_the_calls_that_have_ended) {
  start_writer();
  ledger->save(ended(call(1)));
  ledger->save(call(2));
  ASSERT_TRUE(drained());
  EXPECT_EQ(sql(conninfo, "select string_agg(call_id, ' ') from call_outcomes"), "call_1");
  EXPECT_EQ(sql(conninfo, "select count(*) from contacts"), "1");
  ledger->save(ended(call(1)));
  ASSERT_TRUE(drained());
  EXPECT_EQ(sql(conninfo, "select count(*) from call_outcomes"), "1");
}

TEST_F(Ledger, has_a_bound) {
  for (int i = 1; i <= 5; ++i) ledger->save(call(i));
  take_in();
  EXPECT_EQ(ledger->pending(), 3U);
  EXPECT_EQ(counted("switchboard_ledger_lost_total"), 2);
  ledger->save(ended(call(1)));
  start_writer();
  ASSERT_TRUE(drained());
  EXPECT_EQ(stored("call_1")->status, CallStatus::completed);
}

TEST_F(Ledger, takes_snapshots_from_any_thread) {
  start_writer();
  {
    std::vector<std::jthread> cores;
    for (int core = 0; core < 3; ++core) {
      cores.emplace_back([this, core] {
        for (int version = 1; version <= 50; ++version) {
          auto snapshot = call(core);
          snapshot.version = version;
          ledger->save(snapshot);
        }
      });
    }
  }
  ASSERT_TRUE(drained());
  for (int core = 0; core < 3; ++core) EXPECT_EQ(stored("call_" + std::to_string(core))->version, 50);
}

TEST_F(Ledger, writes_many_that_wait_and_only_misses_the_one_that_is_refused) {
  ledger.emplace(loop.get_executor(), *pool, time, base::Log::silent(), metrics, CallLedger::Settings{});
  for (int i = 1; i <= 100; ++i) {
    auto snapshot = call(i);
    if (i == 50) snapshot.tenant = base::TenantId{"ten_gone"};
    ledger->save(snapshot);
  }
  take_in();
  start_writer();
  ASSERT_TRUE(drained());
  EXPECT_EQ(sql(conninfo, "select count(*) from calls"), "99");
  EXPECT_EQ(counted("switchboard_ledger_written_total"), 99);
  EXPECT_EQ(counted("switchboard_ledger_lost_total"), 1);
}

TEST_F(Ledger, keeps_what_a_cancelled_writer_had_in_hand) {
  start_writer();
  kill_server();
  ledger->save(call());
  EXPECT_FALSE(drained(milliseconds{100}));
  tasks->cancel_all();
  loop.restart();
  loop.run();
  EXPECT_EQ(tasks->size(), 0U);
  EXPECT_EQ(ledger->pending(), 1U);
  server()->revive();
  start_writer();
  ASSERT_TRUE(drained());
  EXPECT_TRUE(stored("call_1"));
}

}  // namespace
