// What calls lead to is known to a CRM once, whatever befalls the wire: outbox, dispatcher and adapter against a
// simulated account.
#include <gtest/gtest.h>

#include <random>

#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/dispatcher.h"
#include "loadtest/sim/crm/hubspot_sim.h"
#include "tests/crm/outbox_scene.h"

namespace {

using sim::crm::HubSpotFault;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

constexpr auto token = "pat-na1-sim";

class TellingHubSpot : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    sim::crm::HubSpotSim::Options options;
    options.burst = 100'000;
    options.searches_a_second = 100'000;
    hubspot.emplace(loop.get_executor(), time, std::move(options));
    hubspot->listen();
    tasks.emplace(loop.get_executor());
    tasks->spawn(hubspot->serve());
    add_integration("ten_1", "int_hub", R"({"base_url": ")" + hubspot->base_url() + R"("})", "hubspot");
    deliverer.emplace(
        *pool,
        [](crm::Integration, base::Instant) -> base::Async<base::Result<base::Secret>> {
          co_return base::Secret{token};
        },
        [this](std::string_view provider, crm::AdapterSettings given) {
          return crm::make_adapter(provider, std::move(given), http, time);
        });
    crm::Dispatcher::Settings const wishes{.poll = milliseconds{10},
                                           .first_backoff = milliseconds{2},
                                           .longest_backoff = milliseconds{50},
                                           .after_ambiguous = milliseconds{2}};
    dispatcher.emplace(loop.get_executor(), *pool, time, *deliverer, base::Log::silent(), metrics, wishes,
                       [] { return 0.5; });
  }
  void TearDown() override {
    if (!tasks) return;
    auto const end = [&]() -> base::Async<bool> {
      co_await dispatcher->drain(seconds{0});
      hubspot->stop();
      co_await hubspot->drain(seconds{0});
      co_await tasks->drain(time, seconds{0});
      co_return true;
    };
    run(end());
  }

  /// Somebody new calls: their record, the call's, and what must be told of them.
  void somebody_calls(int number) {
    auto const n = std::to_string(number);
    ASSERT_TRUE(save(ended(call(number))));
    sql(conninfo, "insert into contacts (tenant_id, id, full_name, email) values ('ten_1', 'con_" + n + "', 'Ada " + n +
                      "', 'ada" + n + "@example.com')");
    for (auto const* event : {"contact.created", "call.ended"})
      tell({.about = "con_" + n,
            .integration = "int_hub",
            .event = event,
            .payload = R"({"contact_id": "con_)" + n + R"(", "call_id": "call_)" + n + R"("})"});
  }
  bool all_told() {
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{60};
    while (sql(conninfo, "select count(*) from outbox where status in ('waiting', 'leased')") != "0") {
      if (std::chrono::steady_clock::now() > until) return false;
      loop.run_for(milliseconds{20});
    }
    return true;
  }

  net::HttpClient http;
  base::Metrics metrics;
  std::optional<sim::crm::HubSpotSim> hubspot;
  std::optional<crm::CrmDeliverer> deliverer;
  std::optional<crm::Dispatcher> dispatcher;
  std::optional<base::TaskGroup> tasks;
};

TEST_F(TellingHubSpot, loses_nothing_and_doubles_nothing_while_every_fourth_request_goes_wrong) {
  constexpr int people = 25;
  for (int i = 1; i <= people; ++i) somebody_calls(i);
  int faults = 0;
  hubspot->on_request = [&, dice = std::mt19937{7}](net::Request const&) mutable -> std::optional<HubSpotFault> {
    using Kind = HubSpotFault::Kind;
    static constexpr std::array kinds{Kind::status, Kind::cut_before, Kind::cut_after, Kind::truncated};
    if (dice() % 4 != 0) return std::nullopt;
    ++faults;
    return HubSpotFault{.kind = kinds[dice() % kinds.size()], .status = 502};
  };
  tasks->spawn(dispatcher->run());
  ASSERT_TRUE(all_told());
  EXPECT_GT(faults, people);
  EXPECT_EQ(sql(conninfo, "select count(*) from outbox where status = 'done'"), std::to_string(2 * people));
  EXPECT_EQ(hubspot->store().objects("contacts").size(), people);
  EXPECT_EQ(hubspot->store().objects("calls").size(), people);
  EXPECT_EQ(sql(conninfo, "select count(*) from external_links"), std::to_string(2 * people));
}

}  // namespace
