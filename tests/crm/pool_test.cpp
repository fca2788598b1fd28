#include "crm/pg/pool.h"

#include "crm/pg/address.h"
#include "crm/pg/fault.h"
#include "gateway/base/task_group.h"
#include "tests/crm/scene.h"

namespace {

using base::Async;
using base::Fault;
using base::Result;
using crm::pg::Params;
using crm::pg::Pool;
using crm::pg::Query;
using crm::pg::Rows;
using crm::pg::Transaction;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

constexpr Query one{"one", "select 1 as n"};
constexpr Query sleeping{"sleeping", "select pg_sleep(30)"};
constexpr Query put{"put", "insert into t (x) values ($1)"};
constexpr Query count{"count", "select count(*) as n from t"};

class PoolTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) sql(conninfo, "create table t (x int primary key, check (x < 1000))");
  }

  Fault fault_of(Query query, Params params) {
    Pool pool{settings(), time};
    auto const rows = run(pool.run(query, std::move(params), soon()));
    return rows ? Fault::cancelled : rows.error().fault;
  }
};

TEST_F(PoolTest, carries_values_there_and_back) {
  Pool pool{settings(), time};
  constexpr Query echo{"echo",
                       "select $1::text as text, $2::bigint as number, $3::boolean as flag, $4::timestamptz as at, "
                       "$5::text as nothing"};
  auto const when = base::TimeSource::Wall{std::chrono::milliseconds{1'769'851'800'123}};
  Params params{"Grüße", std::int64_t{-7}, true, when, std::nullopt};
  auto const rows = run(pool.run(echo, params, soon()));
  ASSERT_TRUE(rows) << rows.error().detail;
  auto const row = (*rows)[0];
  EXPECT_EQ(row.text("text"), "Grüße");
  EXPECT_EQ(row.integer("number"), -7);
  EXPECT_TRUE(row.boolean("flag"));
  EXPECT_EQ(row.time("at"), when);
  EXPECT_EQ(row.text_if_any("nothing"), std::nullopt);
}

TEST_F(PoolTest, carries_more_than_a_socket_buffer_holds) {
  Pool pool{settings(), time};
  constexpr Query length{"length", "select length($1) as n, $1 as text"};
  std::string const large(8'000'000, 'x');
  auto const rows = run(pool.run(length, Params{large}, soon()));
  ASSERT_TRUE(rows) << rows.error().detail;
  EXPECT_EQ((*rows)[0].integer("n"), 8'000'000);
  EXPECT_EQ((*rows)[0].text("text"), large);
}

TEST_F(PoolTest, gives_up_at_the_deadline_and_serves_the_next_one) {
  Pool pool{settings(1), time};
  auto const began = time.now();
  auto const late = run(pool.run(sleeping, {}, in(milliseconds{100})));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, Fault::timed_out);
  EXPECT_LT(time.now() - began, seconds{5});
  EXPECT_EQ(pool.open(), 0U);
  EXPECT_TRUE(run(pool.run(one, {}, soon())));
}

TEST_F(PoolTest, makes_callers_wait_their_turn_but_not_beyond_their_deadline) {
  Pool pool{settings(1), time};
  base::TaskGroup tasks{loop.get_executor()};
  Result<Rows> held = base::fail(Fault::cancelled, "");
  Result<Rows> waited = base::fail(Fault::cancelled, "");
  auto const keep = [](Pool& p, Query query, base::Instant deadline, Result<Rows>& into) -> Async<> {
    into = co_await p.run(query, {}, deadline);
  };
  tasks.spawn(keep(pool, sleeping, in(milliseconds{400}), held));
  tasks.spawn(keep(pool, one, in(milliseconds{100}), waited));
  loop.run();
  EXPECT_EQ(held.error().fault, Fault::timed_out);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().fault, Fault::timed_out);
}

TEST_F(PoolTest, serves_many_callers_over_few_connections) {
  Pool pool{settings(3), time};
  base::TaskGroup tasks{loop.get_executor()};
  int served = 0;
  auto const ask = [](Pool& p, int number, base::Instant deadline, int& into) -> Async<> {
    auto const rows = co_await p.run(put, Params{number}, deadline);
    if (rows) ++into;
  };
  for (int i = 0; i < 200; ++i) tasks.spawn(ask(pool, i, soon(), served));
  loop.run();
  EXPECT_EQ(served, 200);
  EXPECT_LE(pool.open(), 3U);
  EXPECT_EQ(sql(conninfo, "select count(*) from t"), "200");
}

TEST_F(PoolTest, closes_the_connection_of_a_cancelled_caller_and_passes_its_place_on) {
  Pool pool{settings(1), time};
  base::TaskGroup doomed{loop.get_executor()};
  base::TaskGroup tasks{loop.get_executor()};
  Result<Rows> after = base::fail(Fault::cancelled, "");
  auto const hold = [](Pool& p, base::Instant deadline) -> Async<> { (void)co_await p.run(sleeping, {}, deadline); };
  auto const ask = [](Pool& p, base::Instant deadline, Result<Rows>& into) -> Async<> {
    into = co_await p.run(one, {}, deadline);
  };
  doomed.spawn(hold(pool, soon()));
  doomed.spawn(hold(pool, soon()));
  tasks.spawn(ask(pool, soon(), after));
  while (sql(conninfo, "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'") != "1") {
    loop.run_for(milliseconds{1});
  }
  doomed.cancel_all();
  loop.restart();
  loop.run();
  EXPECT_TRUE(after) << after.error().detail;
  EXPECT_EQ(pool.open(), 1U);
}

TEST_F(PoolTest, forgets_what_a_cancelled_transaction_did) {
  Pool pool{settings(1), time};
  base::TaskGroup doomed{loop.get_executor()};
  auto const transact = [](Pool& p, base::Instant deadline) -> Async<> {
    auto const work = [](Transaction& transaction) -> Async<Result<>> {
      (void)co_await transaction.run(put, Params{1});
      (void)co_await transaction.run(sleeping, {});
      co_return Result<>{};
    };
    (void)co_await p.transaction(work, deadline);
  };
  doomed.spawn(transact(pool, soon()));
  while (sql(conninfo, "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'") != "1") {
    loop.run_for(milliseconds{1});
  }
  doomed.cancel_all();
  loop.restart();
  loop.run();
  auto const rows = run(pool.run(count, {}, soon()));
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[0].integer("n"), 0);
}

TEST_F(PoolTest, keeps_a_transaction_whole) {
  Pool pool{settings(), time};
  auto const both = [](Transaction& transaction) -> Async<Result<>> {
    auto const first = co_await transaction.run(put, Params{1});
    if (!first) co_return std::unexpected{first.error()};
    auto const second = co_await transaction.run(put, Params{2});
    if (!second) co_return std::unexpected{second.error()};
    co_return Result<>{};
  };
  ASSERT_TRUE(run(pool.transaction(both, soon())));
  sql(conninfo, "delete from t where x = 1");
  auto const again = run(pool.transaction(both, soon()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().fault, Fault::conflict);
  EXPECT_EQ(sql(conninfo, "select count(*) from t"), "1");
  EXPECT_EQ(pool.open(), 1U);
}

TEST_F(PoolTest, does_not_take_the_commit_of_a_failed_transaction_for_success) {
  Pool pool{settings(), time};
  auto const careless = [](Transaction& transaction) -> Async<Result<>> {
    (void)co_await transaction.run(put, Params{1});
    (void)co_await transaction.run(put, Params{1});
    co_return Result<>{};
  };
  auto const kept = run(pool.transaction(careless, soon()));
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().fault, Fault::conflict);
}

TEST_F(PoolTest, comes_back_after_the_server_died) {
  Pool pool{settings(), time};
  ASSERT_TRUE(run(pool.run(one, {}, soon())));
  kill_server();
  auto const away = run(pool.run(one, {}, in(milliseconds{300})));
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().fault, Fault::unavailable);
  server()->revive();
  auto const back = run(pool.run(one, {}, soon()));
  EXPECT_TRUE(back) << back.error().detail;
}

TEST_F(PoolTest, says_at_once_that_the_database_is_away_when_its_patience_is_over) {
  auto impatient = settings();
  impatient.patience = milliseconds{50};
  Pool pool{impatient, time};
  ASSERT_TRUE(run(pool.run(one, {}, soon())));
  kill_server();
  auto const began = time.now();
  for (int tries = 0; tries < 5; ++tries) {
    auto const away = run(pool.run(one, {}, soon()));
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error().fault, Fault::unavailable);
  }
  EXPECT_LT(time.now() - began, seconds{5}) << "one of them has waited to its deadline";
  server()->revive();
  auto back = run(pool.run(one, {}, soon()));
  while (!back && time.now() - began < seconds{30}) back = run(pool.run(one, {}, soon()));
  EXPECT_TRUE(back) << back.error().detail;
}

TEST_F(PoolTest, hears_of_a_server_that_dies_under_a_statement) {
  Pool pool{settings(), time};
  base::TaskGroup tasks{loop.get_executor()};
  Result<Rows> outcome = base::fail(Fault::cancelled, "");
  auto const ask = [](Pool& p, base::Instant deadline, Result<Rows>& into) -> Async<> {
    into = co_await p.run(sleeping, {}, deadline);
  };
  tasks.spawn(ask(pool, soon(), outcome));
  while (sql(conninfo, "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'") != "1") {
    loop.run_for(milliseconds{1});
  }
  kill_server();
  loop.restart();
  loop.run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().fault, Fault::unavailable);
}

TEST_F(PoolTest, times_out_on_a_server_that_hangs) {
  Pool pool{settings(), time};
  ::kill(server()->server(), SIGSTOP);
  auto const hung = run(pool.run(one, {}, in(milliseconds{200})));
  ::kill(server()->server(), SIGCONT);
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().fault, Fault::timed_out);
  EXPECT_TRUE(run(pool.run(one, {}, soon())));
}

TEST_F(PoolTest, fails_everything_once_closed) {
  Pool pool{settings(), time};
  ASSERT_TRUE(run(pool.run(one, {}, soon())));
  pool.close();
  EXPECT_EQ(pool.open(), 0U);
  auto const closed = run(pool.run(one, {}, soon()));
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().fault, Fault::unavailable);
}

TEST_F(PoolTest, tells_faults_apart) {
  sql(conninfo, "insert into t values (1); create table u (x int references t)");
  EXPECT_EQ(fault_of(put, Params{1}), Fault::conflict);
  EXPECT_EQ(fault_of({"refer", "insert into u values ($1)"}, Params{5}), Fault::not_found);
  EXPECT_EQ(fault_of(put, Params{1000}), Fault::refused);
  EXPECT_EQ(fault_of(put, Params{"five"}), Fault::refused);
  EXPECT_EQ(fault_of({"typo", "selekt 1"}, {}), Fault::protocol);
  EXPECT_EQ(crm::pg::fault_for("57014"), Fault::timed_out);
  EXPECT_EQ(crm::pg::fault_for("23P01"), Fault::conflict);
  EXPECT_EQ(crm::pg::fault_for("57P01"), Fault::unavailable);
  EXPECT_EQ(crm::pg::fault_for("40001"), Fault::unavailable);
}

TEST_F(PoolTest, keeps_values_out_of_errors) {
  Pool pool{settings(), time};
  sql(conninfo, "create table numbers (e164 text unique); insert into numbers values ('+15550001111')");
  auto const twice = run(pool.run({"numbers", "insert into numbers values ($1)"}, Params{"+15550001111"}, soon()));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().detail.find("5550001111"), std::string::npos) << twice.error().detail;
  auto const odd = run(pool.run({"odd", "select $1::int"}, Params{"+1555x0001111"}, soon()));
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().detail.find("0001111"), std::string::npos) << odd.error().detail;
}

TEST_F(PoolTest, resolves_host_names_before_libpq_sees_them) {
  auto const address = run(crm::pg::resolve("postgresql://me@localhost:7/db?sslmode=disable", time, soon()));
  ASSERT_TRUE(address) << address.error().detail;
  std::map<std::string, std::string> settings;
  auto const keys = address->keywords();
  auto const values = address->values();
  for (std::size_t i = 0; keys[i] != nullptr; ++i) settings[keys[i]] = values[i];
  EXPECT_TRUE(settings["hostaddr"].find("127.0.0.1") != std::string::npos ||
              settings["hostaddr"].find("::1") != std::string::npos);
  EXPECT_TRUE(settings["host"].starts_with("localhost"));
  EXPECT_TRUE(settings["port"].starts_with("7"));
  EXPECT_EQ(settings["user"], "me");
}

TEST_F(PoolTest, says_that_a_connection_string_is_none) {
  crm::pg::PoolSettings broken = settings();
  broken.conninfo = "this is no conninfo";
  Pool pool{broken, time};
  auto const outcome = run(pool.run(one, {}, soon()));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().fault, Fault::refused);
}

TEST(Timestamp, is_read_with_fractions_and_any_zone) {
  using crm::pg::parse_timestamp;
  auto const plain = parse_timestamp("2026-01-31 09:30:00+00");
  ASSERT_TRUE(plain);
  EXPECT_EQ(base::iso8601(*plain), "2026-01-31T09:30:00.000Z");
  EXPECT_EQ(base::iso8601(*parse_timestamp("2026-01-31 09:30:00.5+05:30")), "2026-01-31T04:00:00.500Z");
  EXPECT_EQ(base::iso8601(*parse_timestamp("2026-01-31 09:30:00.123456-08")), "2026-01-31T17:30:00.123Z");
  for (auto const* text :
       {"", "infinity", "2026-01-31", "2026-01-31 09:30", "2026-02-31 09:30:00+00", "2026-01-31 09:30:00"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

}  // namespace
