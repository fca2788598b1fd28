#include <gmock/gmock.h>

#include "crm/outbox/backoff.h"
#include "crm/outbox/retry_after.h"
#include "crm/outbox/store.h"
#include "tests/crm/outbox_scene.h"

namespace {

using crm::DeliveryFault;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class OutboxStore : public test::OutboxTest {
 protected:
  bool done(crm::OutboxRow const& row, std::string const& remote_id = "there_1") {
    auto session = pool->until(soon());
    auto const counted = run(crm::note_done(session, row, {.remote_id = remote_id, .http_status = 200}, {time.wall()}));
    EXPECT_TRUE(counted) << counted.error().detail;
    return counted.value_or(false);
  }
  bool later(crm::OutboxRow const& row, DeliveryFault fault, milliseconds delay) {
    auto session = pool->until(soon());
    auto const counted = run(crm::note_later(session, row, std::move(fault), {time.wall()}, delay));
    EXPECT_TRUE(counted) << counted.error().detail;
    return counted.value_or(false);
  }
};

TEST_F(OutboxStore, leases_a_row_with_what_it_says) {
  auto const id = tell();
  auto const rows = lease();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, id);
  EXPECT_EQ(rows[0].integration, crm::IntegrationId{"int_1"});
  EXPECT_EQ(rows[0].provider, "webhook");
  EXPECT_EQ(rows[0].attempt, 1);
  EXPECT_FALSE(rows[0].maybe_sent);
  EXPECT_EQ(of(id, "status"), "leased");
  EXPECT_THAT(lease(), IsEmpty());
}

TEST_F(OutboxStore, keeps_the_order_of_what_concerns_one_contact_at_one_target) {
  add_integration("ten_1", "int_2");
  auto const first = tell();
  auto const second = tell();
  auto const other_contact = tell({.about = "con_2"});
  auto const other_target = tell({.integration = "int_2"});
  auto const rows = lease();
  EXPECT_THAT(ids_of(rows), UnorderedElementsAre(first, other_contact, other_target));
  EXPECT_THAT(lease(), IsEmpty());
  for (auto const& row : rows) done(row);
  EXPECT_THAT(ids_of(lease()), ElementsAre(second));
}

TEST_F(OutboxStore, lets_nothing_pass_a_row_that_waits_for_its_next_attempt) {
  tell();
  tell();
  EXPECT_TRUE(later(lease().at(0), {.kind = DeliveryFault::Kind::not_sent}, seconds{60}));
  EXPECT_THAT(lease(), IsEmpty());
}

TEST_F(OutboxStore, lets_the_rest_pass_a_parked_row) {
  auto const poison = tell();
  auto const next = tell();
  auto session = pool->until(soon());
  auto const row = lease().at(0);
  ASSERT_TRUE(run(crm::note_parked(session, row, {.kind = DeliveryFault::Kind::rejected, .detail = "no such field"},
                                   {time.wall()}, "rejected: no such field")));
  EXPECT_EQ(of(poison, "parked_reason"), "rejected: no such field");
  EXPECT_EQ(of_attempt(poison, 1, "fault"), "rejected");
  EXPECT_THAT(ids_of(lease()), ElementsAre(next));
}

TEST_F(OutboxStore, counts_no_word_of_a_holder_whose_lease_somebody_else_has) {
  auto const id = tell();
  auto const late = lease().at(0);
  let_lease_run_out(id);
  auto const holder = lease().at(0);
  EXPECT_GT(holder.fence, late.fence);
  EXPECT_EQ(holder.attempt, 2);
  EXPECT_TRUE(holder.maybe_sent);
  EXPECT_EQ(of_attempt(id, 1, "fault"), "lost");
  EXPECT_FALSE(later(late, {.kind = DeliveryFault::Kind::not_sent}, seconds{60}));
  EXPECT_FALSE(done(late));
  EXPECT_EQ(of(id, "status"), "leased");
  EXPECT_TRUE(done(holder, "there_2"));
  EXPECT_EQ(of(id, "status"), "done");
  EXPECT_EQ(of(id, "remote_id"), "there_2");
  EXPECT_EQ(of_attempt(id, 1, "remote_id"), "there_1") << "what the late holder did is on record all the same";
}

TEST_F(OutboxStore, still_believes_a_holder_whose_lease_ran_out_when_nobody_else_came) {
  auto const id = tell();
  auto const row = lease().at(0);
  let_lease_run_out(id);
  EXPECT_TRUE(done(row));
  EXPECT_FALSE(done(row));
}

TEST_F(OutboxStore, remembers_that_an_earlier_attempt_may_have_arrived) {
  tell();
  EXPECT_TRUE(later(lease().at(0), {.kind = DeliveryFault::Kind::ambiguous}, milliseconds{0}));
  auto const second = lease().at(0);
  EXPECT_TRUE(second.maybe_sent);
  EXPECT_TRUE(later(second, {.kind = DeliveryFault::Kind::not_sent}, milliseconds{0}));
  EXPECT_TRUE(lease().at(0).maybe_sent);
}

TEST_F(OutboxStore, gives_every_tenant_its_turn_before_any_gets_a_second) {
  add_tenant("ten_2");
  add_integration("ten_2", "int_9");
  for (int i = 0; i < 10; ++i) tell({.about = "con_" + std::to_string(i)});
  auto const small = tell({.about = "con_x", .tenant = "ten_2", .integration = "int_9"});
  auto const rows = lease({.most = 2});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(ids_of(rows), testing::Contains(small));
}

TEST_F(OutboxStore, holds_no_more_for_one_integration_and_one_tenant_than_it_may) {
  add_integration("ten_1", "int_2");
  for (int i = 0; i < 10; ++i) tell({.about = "con_" + std::to_string(i)});
  for (int i = 0; i < 10; ++i) tell({.about = "con_" + std::to_string(i), .integration = "int_2"});
  crm::LeaseTerms const terms{.most = 32, .per_target = 3, .per_tenant = 4};
  auto const rows = lease(terms);
  EXPECT_EQ(rows.size(), 4U);
  EXPECT_THAT(lease(terms), IsEmpty());
  for (auto const& row : rows) done(row);
  EXPECT_EQ(lease(terms).size(), 4U);
}

TEST_F(OutboxStore, leaves_alone_who_asked_for_it_and_who_is_not_active) {
  add_integration("ten_1", "int_2");
  tell();
  auto const other = tell({.integration = "int_2"});
  auto const sms = tell({.integration = ""});
  EXPECT_THAT(ids_of(lease({.resting = {"int_1", "sms"}})), ElementsAre(other));
  sql(conninfo, "update integrations set status = 'disabled' where id = 'int_1'");
  EXPECT_THAT(ids_of(lease()), ElementsAre(sms));
}

TEST_F(OutboxStore, takes_back_what_was_leased_in_vain) {
  auto const id = tell();
  auto session = pool->until(soon());
  ASSERT_TRUE(run(crm::give_back(session, lease().at(0))));
  auto const again = lease().at(0);
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.attempt, 1);
  EXPECT_FALSE(again.maybe_sent);
}

TEST_F(OutboxStore, keeps_text_from_outside_short_and_storable) {
  auto const id = tell();
  auto const row = lease().at(0);
  EXPECT_TRUE(done(row, std::string(5000, 'x') + "\xff"));
  EXPECT_EQ(of(id, "length(remote_id)"), "200");
}

TEST_F(OutboxStore, never_gives_two_who_ask_at_once_the_same_row) {
  for (int i = 0; i < 40; ++i) tell({.about = "con_" + std::to_string(i)});
  auto const ask = [](crm::pg::Pool& from, base::Instant deadline) -> base::Async<std::vector<crm::OutboxRow>> {
    std::vector<crm::OutboxRow> mine;
    for (;;) {
      auto session = from.until(deadline);
      auto const rows = co_await crm::lease_due(session, {.most = 3, .per_target = 100, .per_tenant = 100});
      EXPECT_TRUE(rows);
      if (!rows || rows->empty()) co_return mine;
      mine.insert(mine.end(), rows->begin(), rows->end());
    }
  };
  auto const both = [&]() -> base::Async<std::vector<crm::OutboxRow>> {
    using namespace asio::experimental::awaitable_operators;
    auto [one, other, third] = co_await (ask(*pool, soon()) && ask(*pool, soon()) && ask(*pool, soon()));
    one.insert(one.end(), other.begin(), other.end());
    one.insert(one.end(), third.begin(), third.end());
    co_return one;
  };
  auto ids = ids_of(run(both()));
  std::ranges::sort(ids);
  EXPECT_EQ(ids.size(), 40U);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(OutboxBackoff, is_a_random_part_of_a_span_that_doubles_up_to_a_bound) {
  auto const most = [](int attempt) { return crm::backoff(attempt, seconds{1}, seconds{600}, 0.999999); };
  EXPECT_NEAR(static_cast<double>(most(1).count()), 1000, 2);
  EXPECT_NEAR(static_cast<double>(most(4).count()), 8000, 2);
  EXPECT_NEAR(static_cast<double>(most(11).count()), 600'000, 2);
  EXPECT_NEAR(static_cast<double>(most(1'000'000).count()), 600'000, 2);
  EXPECT_EQ(crm::backoff(5, seconds{1}, seconds{600}, 0.0), milliseconds{0});
}

TEST(RetryAfter, is_seconds_or_a_date) {
  base::TimeSource::Wall const now =
      std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + std::chrono::hours{8} + std::chrono::minutes{49};
  EXPECT_EQ(crm::parse_retry_after("120", now), seconds{120});
  EXPECT_EQ(crm::parse_retry_after("0", now), seconds{0});
  EXPECT_EQ(crm::parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), seconds{37});
  EXPECT_EQ(crm::parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds{0});
  EXPECT_EQ(crm::parse_retry_after("99999999999999999999", now), std::chrono::hours{24});
  for (auto const* text : {"", "soon", "-1", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"})
    EXPECT_FALSE(crm::parse_retry_after(text, now)) << text;
}

}  // namespace
