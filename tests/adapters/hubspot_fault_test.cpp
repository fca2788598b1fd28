#include <array>

#include "loadtest/sim/crm/hubspot_weather.h"
#include "tests/adapters/hubspot_scene.h"

namespace crm::hubspot {
namespace {

using Scene = HubSpotScene;
using base::Async;

/// What one write of a contact comes to when `fault` meets its upsert.
DeliveryFault upsert_meets(Fault fault) {
  Scene scene;
  DeliveryFault met;
  fault.path_contains = "batch/upsert";
  scene.sim.fail(fault);
  scene.play([&met](Scene& s) -> Async<> {
    auto receipt = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_FALSE(receipt.has_value());
    if (!receipt) met = receipt.error();
    auto again = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_TRUE(again.has_value());
    EXPECT_EQ(s.records("contacts").size(), 1u);
  });
  for (auto const* word : {"Ada", "Lovelace", "5551230000", token}) EXPECT_EQ(met.detail.find(word), std::string::npos);
  return met;
}

TEST(HubSpotFaults, whatever_cuts_the_answer_to_a_write_is_ambiguous) {
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::cut_before}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::cut_after}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::cut_after, .bytes = 60}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::truncated}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::html}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.status = 500}).kind, Kind::ambiguous);
  EXPECT_EQ(upsert_meets({.status = 524}).kind, Kind::ambiguous);
}

TEST(HubSpotFaults, an_answer_that_comes_too_late_is_ambiguous) {
  // Real patience: two seconds; the fake's clock stands still, so that its answer never comes.
  EXPECT_EQ(upsert_meets({.kind = Fault::Kind::slow, .delay = 1h}).kind, Kind::ambiguous);
}

TEST(HubSpotFaults, limits_and_locks_say_how_long) {
  EXPECT_EQ(upsert_meets({.status = 429}).retry_after, 10s);
  EXPECT_EQ(upsert_meets({.status = 429, .policy = "SECONDLY"}).retry_after, 1s);
  EXPECT_EQ(upsert_meets({.status = 423}).retry_after, 2s);
  auto const moving = upsert_meets({.status = 477});
  EXPECT_EQ(moving.kind, Kind::unavailable);
  EXPECT_EQ(moving.retry_after, 1h);
}

TEST(HubSpotFaults, the_daily_limit_waits_for_midnight_of_the_account) {
  Scene scene;
  scene.play([](Scene& s) -> Async<> {
    auto report = co_await s.adapter.test_connection(s.soon());
    EXPECT_TRUE(report.has_value());
    s.sim.fail({.status = 429, .policy = "DAILY"});
    auto receipt = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_EQ(receipt.error().kind, Kind::rate_limited);
    EXPECT_EQ(receipt.error().retry_after, 14h);  // it is 15:00 UTC, and five hours earlier there
  });
}

TEST(HubSpotFaults, a_dead_token_or_a_missing_scope_asks_for_the_tenant) {
  auto const expired = upsert_meets({.kind = Fault::Kind::expired_token});
  EXPECT_EQ(expired.kind, Kind::needs_reauth);
  EXPECT_FALSE(expired.request_id.empty());
  auto const unknown = upsert_meets({.status = 401});
  EXPECT_EQ(unknown.kind, Kind::needs_reauth);
  auto const scope = upsert_meets({.status = 403});
  EXPECT_EQ(scope.kind, Kind::needs_reauth);
  EXPECT_NE(scope.detail.find("crm.objects.contacts.write"), std::string::npos);
}

TEST(HubSpotFaults, nothing_was_sent_when_nobody_listens) {
  Scene scene;
  scene.play([](Scene& s) -> Async<> {
    Settings settings;
    settings.base_url = "http://127.0.0.1:1";
    settings.token = base::Secret{token};
    HubSpot nowhere{s.http, s.time, settings};
    auto receipt = co_await nowhere.upsert_contact(Scene::contact("con_1"), {}, s.soon());
    EXPECT_EQ(receipt.error().kind, Kind::not_sent);
    auto late = co_await s.adapter.upsert_contact(Scene::contact("con_1"), {}, s.time.now());
    EXPECT_EQ(late.error().kind, Kind::not_sent);
  });
}

/// An outbox in one coroutine: delivers until it is done, as the faults tell it to.
struct Courier {
  Scene& scene;
  std::size_t faults = 0;

  template <class Push>
  Async<std::string> deliver(Push push) {
    for (int attempt = 0; attempt < 10'000; ++attempt) {
      scene.time.advance(300ms);
      Delivered<Receipt> receipt = co_await push();
      if (receipt) co_return receipt->remote_id;
      ++faults;
      bool const may_repeat = receipt.error().kind != Kind::rejected && receipt.error().kind != Kind::needs_reauth;
      EXPECT_TRUE(may_repeat) << receipt.error().detail;
      if (!may_repeat) co_return "";
      scene.time.advance(receipt.error().retry_after.value_or(1s));
    }
    ADD_FAILURE() << "never delivered";
    co_return "";
  }

  Async<> everything_about(int number) {
    auto& adapter = scene.adapter;
    auto const name = std::to_string(number);
    auto const contact = Scene::contact("con_" + name);
    auto const call = Scene::call("CA" + name);
    auto const appointment = Scene::appointment("apt_" + name);
    auto const write_contact = [&] { return adapter.upsert_contact(contact, {}, scene.soon()); };
    auto const id = co_await deliver(write_contact);
    auto const write_call = [&] { return adapter.log_call(call, id, {}, scene.soon()); };
    co_await deliver(write_call);
    auto const write_appointment = [&] { return adapter.upsert_appointment(appointment, id, {}, scene.soon()); };
    co_await deliver(write_appointment);
    auto const lead = Scene::lead("lead_" + name);
    auto const write_lead = [&] { return adapter.create_lead(lead, id, {}, scene.soon()); };
    co_await deliver(write_lead);
  }
  Async<> everything(int from, int to) {
    for (int number = from; number < to; ++number) co_await everything_about(number);
  }
};

void expect_each_once(Scene& scene, std::size_t how_many) {
  struct Kept {
    char const* type;
    char const* key_property;
    std::string prefix;
  };
  for (auto const& kept :
       {Kept{"contacts", "switchboard_contact_key", "con_"}, Kept{"calls", "switchboard_call_sid", "CA"},
        Kept{"meetings", "switchboard_appointment_key", "apt_"}, Kept{"leads", "switchboard_lead_key", "lead_"}}) {
    EXPECT_EQ(scene.records(kept.type).size(), how_many) << kept.type;
    for (std::size_t number = 0; number < how_many; ++number) {
      auto const name = std::to_string(number);
      auto const* record = scene.record(kept.type, kept.key_property, kept.prefix + name);
      auto const* contact = scene.record("contacts", "switchboard_contact_key", "con_" + name);
      ASSERT_TRUE(record && contact) << kept.type << " " << name;
      if (record == contact) continue;
      auto const links = scene.sim.store().links(kept.type, record->id, "contacts");
      ASSERT_EQ(links.size(), 1u) << kept.type << " " << name;
      EXPECT_EQ(links[0].to, contact->id);
    }
  }
}

TEST(HubSpotExactlyOnce, two_thousand_faults_lose_nothing_and_double_nothing) {
  Scene scene;
  std::size_t injected = 0;
  scene.sim.on_request = ::sim::crm::make_weather({.percent = 66, .seed = 20'261'125, .most = 2'000}, &injected);
  scene.play([](Scene& s) -> Async<> {
    using namespace asio::experimental::awaitable_operators;
    std::array<Courier, 4> couriers{Courier{s}, Courier{s}, Courier{s}, Courier{s}};
    co_await (couriers[0].everything(0, 50) && couriers[1].everything(50, 100) && couriers[2].everything(100, 150) &&
              couriers[3].everything(150, 200));
  });
  EXPECT_EQ(injected, 2'000u);
  expect_each_once(scene, 200);
}

TEST(HubSpotExactlyOnce, what_was_just_made_is_known_before_the_index_shows_it) {
  Scene scene;
  scene.sim.store().unique_beyond_contacts = false;
  scene.sim.store().index_lag = 29s;
  scene.play([](Scene& s) -> Async<> {
    auto first = co_await s.adapter.log_call(Scene::call("CA1"), "", {}, s.soon());
    auto second = co_await s.adapter.log_call(Scene::call("CA1"), "", {}, s.soon());
    EXPECT_TRUE(first && second);
    EXPECT_EQ(first->remote_id, second->remote_id);
  });
  EXPECT_EQ(scene.records("calls").size(), 1u);
}

TEST(HubSpotExactlyOnce, also_where_engagements_take_no_unique_property_and_search_lags) {
  Scene scene;
  scene.sim.store().unique_beyond_contacts = false;
  scene.sim.store().index_lag = 29s;
  std::size_t injected = 0;
  scene.sim.on_request = ::sim::crm::make_weather({.percent = 66, .seed = 7, .most = 300}, &injected);
  scene.play([](Scene& s) -> Async<> {
    Courier courier{s};
    co_await courier.everything(0, 30);
  });
  EXPECT_EQ(injected, 300u);
  expect_each_once(scene, 30);
}

}  // namespace
}  // namespace crm::hubspot
