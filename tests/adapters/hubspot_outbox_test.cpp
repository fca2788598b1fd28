// From the outbox in PostgreSQL through dispatcher and adapter into the fake account, over real sockets.
#include <random>

#include "crm/adapters/adapters.h"
#include "crm/outbox/crm_deliverer.h"
#include "crm/outbox/dispatcher.h"
#include "gateway/base/task_group.h"
#include "loadtest/sim/crm/hubspot_sim.h"
#include "tests/crm/outbox_scene.h"

namespace {

using Fault = sim::crm::HubSpotFault;
using sim::crm::HubSpotSim;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

/// Faults without a pause of their own, so that real time does not matter: `most` of them, two requests in three.
std::function<std::optional<Fault>(net::Request const&)> storm(std::size_t most, std::size_t& met) {
  return [most, &met, dice = std::mt19937{20'261'125}](net::Request const&) mutable -> std::optional<Fault> {
    if (met >= most || dice() % 3 == 0) return {};
    ++met;
    switch (dice() % 6) {
      case 0:
        return Fault{.kind = Fault::Kind::cut_before};
      case 1:
        return Fault{.status = 503};
      case 2:
        return Fault{.kind = Fault::Kind::truncated};
      case 3:
        return Fault{.kind = Fault::Kind::html};
      case 4:
        return Fault{.kind = Fault::Kind::cut_after};
      default:
        return Fault{.kind = Fault::Kind::cut_after, .bytes = dice() % 200};
    }
  };
}

class HubSpotOutbox : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    HubSpotSim::Options options;
    options.burst = 1'000'000;
    hubspot.emplace(loop.get_executor(), time, std::move(options));
    hubspot->listen();
    asio::co_spawn(loop, hubspot->serve(), [](std::exception_ptr) {});
    add_integration("ten_1", "int_crm", R"({"base_url": ")" + hubspot->base_url() + R"("})", "hubspot");
    deliverer.emplace(
        *pool,
        [](crm::Integration, base::Instant) -> base::Async<base::Result<base::Secret>> {
          co_return base::Secret{"pat-na1-sim"};
        },
        [this](std::string_view provider, crm::AdapterSettings settings) {
          return crm::make_adapter(provider, std::move(settings), http, time);
        });
  }
  void TearDown() override {
    if (!hubspot) return;
    hubspot->stop();
    auto const drain = [this]() -> base::Async<bool> {
      co_await hubspot->drain(seconds{0});
      co_return true;
    };
    run(drain());
  }

  /// A call of a new contact that ended with an appointment, as the outbox learns of it.
  void somebody_books(int number) {
    auto const n = std::to_string(number);
    ASSERT_TRUE(save(ended(call(number))));
    sql(conninfo, "insert into contacts (tenant_id, id, full_name, email) values ('ten_1', 'con_" + n + "', 'Ada N" +
                      n + "', 'ada" + n + "@example.com')");
    sql(conninfo,
        "insert into appointments (tenant_id, id, contact_id, starts_at, ends_at, status) values ('ten_1', 'apt_" + n +
            "', 'con_" + n + "', timestamptz '2026-03-02 09:00Z' + interval '1 hour' * " + n +
            ", timestamptz '2026-03-02 09:30Z' + interval '1 hour' * " + n + ", 'confirmed')");
    auto const payload =
        R"({"contact_id": "con_)" + n + R"(", "call_id": "call_)" + n + R"(", "appointment_id": "apt_)" + n + "\"}";
    for (auto const* event : {"contact.created", "call.ended", "appointment.booked"})
      tell({.about = "con_" + n, .integration = "int_crm", .event = event, .payload = payload});
  }

  /// Runs `dispatcher` until nothing waits.
  bool empties(crm::Dispatcher& dispatcher) {
    base::TaskGroup tasks{loop.get_executor()};
    tasks.spawn(dispatcher.run());
    loop.restart();
    auto const until = std::chrono::steady_clock::now() + seconds{60};
    auto const left = [this] { return sql(conninfo, "select count(*) from outbox where status <> 'done'"); };
    while (left() != "0" && std::chrono::steady_clock::now() < until) loop.run_for(milliseconds{50});
    auto const drain = [&]() -> base::Async<bool> {
      co_await dispatcher.drain(seconds{1});
      co_return true;
    };
    run(drain());
    return left() == "0";
  }

  net::HttpClient http;
  std::optional<HubSpotSim> hubspot;
  std::optional<crm::CrmDeliverer> deliverer;
};

TEST_F(HubSpotOutbox, what_calls_led_to_stands_there_once_after_a_storm) {
  constexpr int people = 40;
  for (int number = 1; number <= people; ++number) somebody_books(number);
  std::size_t met = 0;
  hubspot->on_request = storm(400, met);
  base::Metrics metrics;
  crm::Dispatcher dispatcher{loop.get_executor(),
                             *pool,
                             time,
                             *deliverer,
                             base::Log::silent(),
                             metrics,
                             {.poll = milliseconds{10},
                              .first_backoff = milliseconds{1},
                              .longest_backoff = milliseconds{20},
                              .after_ambiguous = milliseconds{1}},
                             [] { return 0.5; }};
  EXPECT_TRUE(empties(dispatcher));
  EXPECT_EQ(met, 400U);
  auto& store = hubspot->store();
  for (auto const* type : {"contacts", "calls", "meetings"})
    EXPECT_EQ(store.objects(type).size(), static_cast<std::size_t>(people)) << type;
  for (int number = 1; number <= people; ++number) {
    auto const n = std::to_string(number);
    auto const* contact = store.find("contacts", "con_" + n, "switchboard_contact_key");
    auto const* call_there = store.find("calls", call(number).call_sid.text(), "switchboard_call_sid");
    auto const* meeting = store.find("meetings", "apt_" + n, "switchboard_appointment_key");
    ASSERT_TRUE(contact && call_there && meeting) << number;
    EXPECT_EQ(contact->properties.at("email"), "ada" + n + "@example.com");
    ASSERT_EQ(store.links("calls", call_there->id, "contacts").size(), 1U);
    EXPECT_EQ(store.links("calls", call_there->id, "contacts")[0].to, contact->id);
    ASSERT_EQ(store.links("meetings", meeting->id, "contacts").size(), 1U);
    EXPECT_EQ(sql(conninfo, "select remote_id from external_links where kind = 'contact' and our_id = 'con_" + n + "'"),
              std::to_string(contact->id));
  }
}

TEST_F(HubSpotOutbox, a_dead_token_is_a_matter_for_the_tenant) {
  somebody_books(1);
  hubspot->options().tokens.clear();
  auto leased = lease();
  ASSERT_FALSE(leased.empty());
  auto const told = run(deliverer->deliver(leased.front(), soon()));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, crm::DeliveryFault::Kind::needs_reauth);
  EXPECT_EQ(told.error().http_status, 401);
}

}  // namespace
