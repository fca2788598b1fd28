#include "crm/outbox/dispatcher.h"

#include <gmock/gmock.h>

#include "tests/crm/outbox_scene.h"

namespace {

using crm::Delivered;
using crm::DeliveryFault;
using crm::Dispatcher;
using crm::Receipt;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;
using testing::ElementsAre;

/// Does with each delivery what the test wants, and remembers what came.
class Hand final : public crm::Deliverer {
 public:
  base::Async<Delivered<Receipt>> deliver(crm::OutboxRow row, base::Instant) override {
    came.push_back(row);
    if (hold) (void)co_await hold->wait();
    if (answers.empty()) co_return Receipt{.remote_id = "there_" + row.id};
    auto answer = answers.front();
    answers.pop_front();
    co_return answer;
  }
  std::vector<crm::OutboxRow> came;
  std::deque<Delivered<Receipt>> answers;
  std::optional<base::Bell> hold;
};

class OutboxDispatcher : public test::OutboxTest {
 protected:
  struct Running {
    Running(asio::any_io_executor executor, crm::pg::Pool& pool, base::TimeSource& time, base::Metrics& metrics,
            Dispatcher::Settings settings)
        : dispatcher{executor, pool, time, hand, base::Log::silent(), metrics, settings, [] { return 0.001; }}, tasks{executor} {}
    Hand hand;
    Dispatcher dispatcher;
    base::TaskGroup tasks;
  };

  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    wishes.poll = milliseconds{20};
    wishes.first_backoff = milliseconds{1};
    wishes.after_ambiguous = milliseconds{1};
  }
  void TearDown() override {
    for (auto& each : all) stop(*each, seconds{0});
  }

  Running& start() {
    auto& started = *all.emplace_back(std::make_unique<Running>(loop.get_executor(), *pool, time, metrics, wishes));
    started.tasks.spawn(started.dispatcher.run());
    return started;
  }
  void stop(Running& running, base::TimeSource::Clock::duration grace) {
    auto const drain = [&]() -> base::Async<bool> {
      co_await running.dispatcher.drain(grace);
      co_return true;
    };
    run(drain());
  }
  /// Lets the loop run until the database, or the test, says so.
  bool becomes(std::function<bool()> const& so) {
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{20};
    while (!so()) {
      if (std::chrono::steady_clock::now() > until) return false;
      loop.run_one_for(milliseconds{20});
    }
    return true;
  }
  bool all_are(std::string const& status) {
    return becomes(
        [&] { return sql(conninfo, "select count(*) from outbox where status <> '" + status + "'") == "0"; });
  }

  Dispatcher::Settings wishes;
  base::Metrics metrics;
  std::vector<std::unique_ptr<Running>> all;
};

TEST_F(OutboxDispatcher, delivers_and_keeps_what_it_is_called_there) {
  auto const id = tell();
  start();
  ASSERT_TRUE(all_are("done"));
  EXPECT_EQ(of(id, "remote_id"), "there_" + id);
  EXPECT_EQ(of_attempt(id, 1, "remote_id"), "there_" + id);
}

TEST_F(OutboxDispatcher, looks_at_once_when_it_is_rung) {
  wishes.poll = std::chrono::hours{1};
  auto& running = start();
  ASSERT_TRUE(becomes([&] { return pool->open() > 0; }));
  loop.run_for(milliseconds{50});
  tell();
  running.dispatcher.ring();
  EXPECT_TRUE(all_are("done"));
}

TEST_F(OutboxDispatcher, keeps_the_order_of_one_contact_through_failures) {
  std::vector<std::string> told{tell(), tell(), tell()};
  auto& running = start();
  for (auto const kind : {DeliveryFault::Kind::unavailable, DeliveryFault::Kind::ambiguous})
    running.hand.answers.push_back(std::unexpected{DeliveryFault{.kind = kind}});
  ASSERT_TRUE(all_are("done"));
  std::vector<std::string> came;
  for (auto const& row : running.hand.came) came.push_back(row.id);
  EXPECT_THAT(came, ElementsAre(told[0], told[0], told[0], told[1], told[2]));
  EXPECT_TRUE(running.hand.came[2].maybe_sent);
  EXPECT_EQ(of_attempt(told[0], 2, "fault"), "ambiguous");
}

TEST_F(OutboxDispatcher, never_delivers_a_row_twice_when_two_share_the_outbox_and_nothing_fails) {
  for (int i = 0; i < 60; ++i) tell({.about = "con_" + std::to_string(i % 20)});
  auto& one = start();
  auto& other = start();
  ASSERT_TRUE(all_are("done"));
  EXPECT_EQ(one.hand.came.size() + other.hand.came.size(), 60U);
  EXPECT_EQ(sql(conninfo, "select max(attempts) from outbox"), "1");
}

TEST_F(OutboxDispatcher, parks_what_will_never_be_taken_and_goes_on) {
  auto const poison = tell();
  tell();
  auto& running = start();
  running.hand.answers.push_back(std::unexpected{
      DeliveryFault{.kind = DeliveryFault::Kind::rejected, .detail = "no such field", .http_status = 422}});
  ASSERT_TRUE(becomes([&] { return running.hand.came.size() == 2; }));
  ASSERT_TRUE(becomes([&] { return sql(conninfo, "select count(*) from outbox where status = 'done'") == "1"; }));
  EXPECT_EQ(of(poison, "status"), "parked");
  EXPECT_EQ(of(poison, "parked_reason"), "rejected: no such field");
  EXPECT_EQ(of_attempt(poison, 1, "http_status"), "422");
}

TEST_F(OutboxDispatcher, parks_after_so_many_attempts) {
  wishes.most_attempts = 3;
  auto const id = tell();
  auto& running = start();
  for (int i = 0; i < 3; ++i)
    running.hand.answers.push_back(std::unexpected{DeliveryFault{.kind = DeliveryFault::Kind::unavailable}});
  ASSERT_TRUE(all_are("parked"));
  EXPECT_EQ(of(id, "attempts"), "3");
  EXPECT_EQ(of(id, "parked_reason"), "given up after 3 attempts");
}

TEST_F(OutboxDispatcher, asks_a_person_to_connect_again_and_tells_nothing_more_until_then) {
  tell();
  auto const next = tell();
  auto& running = start();
  running.hand.answers.push_back(std::unexpected{DeliveryFault{.kind = DeliveryFault::Kind::needs_reauth}});
  ASSERT_TRUE(
      becomes([&] { return sql(conninfo, "select status from integrations where id = 'int_1'") == "needs_reauth"; }));
  loop.run_for(milliseconds{100});
  EXPECT_EQ(running.hand.came.size(), 1U);
  EXPECT_EQ(of(next, "status"), "waiting");
}

TEST_F(OutboxDispatcher, leaves_a_target_alone_for_as_long_as_it_asked) {
  add_integration("ten_1", "int_2");
  wishes.most_at_once = 1;
  auto const first = tell();
  auto const second = tell({.about = "con_2"});
  auto const other = tell({.integration = "int_2"});
  auto& running = start();
  running.hand.answers.push_back(
      std::unexpected{DeliveryFault{.kind = DeliveryFault::Kind::rate_limited, .retry_after = seconds{60}}});
  ASSERT_TRUE(becomes([&] { return of(other, "status") == "done"; }));
  loop.run_for(milliseconds{100});
  EXPECT_EQ(running.hand.came.size(), 2U);
  EXPECT_EQ(of(first, "next_at > now() + interval '50 seconds'"), "t");
  EXPECT_EQ(of(second, "attempts"), "0");
}

TEST_F(OutboxDispatcher, delivers_again_what_a_dead_one_had_in_hand) {
  auto const id = tell();
  wishes.poll = std::chrono::hours{1};
  auto& dead = start();
  dead.hand.hold.emplace(loop.get_executor());
  ASSERT_TRUE(becomes([&] { return dead.hand.came.size() == 1; }));
  let_lease_run_out(id);
  auto& heir = start();
  ASSERT_TRUE(all_are("done"));
  ASSERT_EQ(heir.hand.came.size(), 1U);
  EXPECT_TRUE(heir.hand.came[0].maybe_sent);
  dead.hand.hold->ring();
  ASSERT_TRUE(becomes([&] { return metrics.counter("switchboard_outbox_overtaken_total", "").Value() == 1; }));
  EXPECT_EQ(of(id, "attempts"), "2");
}

TEST_F(OutboxDispatcher, waits_while_the_database_is_away_and_loses_no_receipt) {
  auto const id = tell();
  auto& running = start();
  running.hand.hold.emplace(loop.get_executor());
  ASSERT_TRUE(becomes([&] { return running.hand.came.size() == 1; }));
  kill_server();
  running.hand.hold->ring();
  loop.run_for(milliseconds{200});
  server()->revive();
  ASSERT_TRUE(all_are("done"));
  EXPECT_EQ(of(id, "attempts"), "1");
}

TEST_F(OutboxDispatcher, lets_a_delivery_end_and_takes_nothing_more_when_it_drains) {
  auto const first = tell();
  auto const second = tell();
  auto& running = start();
  running.hand.hold.emplace(loop.get_executor());
  ASSERT_TRUE(becomes([&] { return running.hand.came.size() == 1; }));
  asio::post(loop, [&] { running.hand.hold->ring(); });
  stop(running, seconds{10});
  EXPECT_EQ(of(first, "status"), "done");
  EXPECT_EQ(of(second, "status"), "waiting");
  EXPECT_EQ(running.tasks.size(), 0U);
}

}  // namespace
