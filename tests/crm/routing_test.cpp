#include "crm/routing.h"

#include "gateway/base/task_group.h"
#include "tests/crm/call_scene.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

class Routing : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    pool.emplace(settings(1), time);
    feed.emplace(*pool, time, base::Log::silent(), metrics, milliseconds{5});
  }

  bool refreshed() {
    auto const changed = run(feed->refresh(soon()));
    EXPECT_TRUE(changed) << changed.error().detail;
    return changed && *changed;
  }

  base::Metrics metrics;
  std::optional<crm::pg::Pool> pool;
  std::optional<crm::RoutingFeed> feed;
};

TEST_F(Routing, tells_who_answers_a_number) {
  EXPECT_EQ(feed->table()->size(), 0U);
  ASSERT_TRUE(refreshed());
  auto const route = feed->table()->find("+15550001111");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->tenant.text(), "ten_1");
  EXPECT_EQ(route->tenant_name, "Acme Dental");
  EXPECT_EQ(route->tenant_timezone, "America/New_York");
  EXPECT_EQ(route->max_concurrent_calls, 20);
  EXPECT_TRUE(route->tenant_active);
  EXPECT_EQ(route->agent.id.text(), "va_1");
  EXPECT_EQ(route->agent.elevenlabs_agent_id, "agent_abc");
  EXPECT_EQ(route->agent.fallback, crm::FallbackKind::forward);
  EXPECT_EQ(route->agent.fallback_number, "+15550009999");
  EXPECT_EQ(route->agent.dynamic_variables.at("business"), "Acme");
  EXPECT_EQ(route->agent.dynamic_variables.at("seats"), "4");
  EXPECT_FALSE(feed->table()->find("+15550001112"));
}

TEST_F(Routing, is_loaded_again_only_when_something_changed) {
  ASSERT_TRUE(refreshed());
  EXPECT_FALSE(refreshed());
  sql(conninfo, "update voice_agents set status = 'inactive'");
  EXPECT_TRUE(refreshed());
  EXPECT_FALSE(feed->table()->find("+15550001111")->agent.active);
  sql(conninfo, "update tenants set status = 'suspended', max_concurrent_calls = 3");
  EXPECT_TRUE(refreshed());
  EXPECT_FALSE(feed->table()->find("+15550001111")->tenant_active);
  sql(conninfo, "delete from phone_numbers");
  EXPECT_TRUE(refreshed());
  EXPECT_EQ(feed->table()->size(), 0U);
}

TEST_F(Routing, leaves_a_reader_the_picture_it_has) {
  ASSERT_TRUE(refreshed());
  auto const before = feed->table();
  sql(conninfo, "delete from phone_numbers");
  ASSERT_TRUE(refreshed());
  EXPECT_TRUE(before->find("+15550001111"));
}

TEST_F(Routing, outlives_the_database_and_follows_it_again) {
  base::TaskGroup tasks{loop.get_executor()};
  tasks.spawn(feed->follow());
  auto const until = [&](auto reached) {
    auto const limit = std::chrono::steady_clock::now() + seconds{20};
    loop.restart();
    while (!reached() && std::chrono::steady_clock::now() < limit) loop.run_one_until(limit);
    return reached();
  };
  auto const failures = [&] { return metrics.counter("switchboard_routing_refresh_failures_total", "").Value(); };
  EXPECT_TRUE(until([&] { return feed->table()->size() == 1; }));
  kill_server();
  EXPECT_TRUE(until([&] { return failures() > 0; }));
  EXPECT_TRUE(feed->table()->find("+15550001111"));
  server()->revive();
  sql(conninfo,
      "insert into phone_numbers (tenant_id, id, e164, agent_id) values ('ten_1', 'num_2', '+15550001112', 'va_1')");
  EXPECT_TRUE(until([&] { return feed->table()->size() == 2; }));
  tasks.cancel_all();
  loop.restart();
  loop.run();
}

}  // namespace
