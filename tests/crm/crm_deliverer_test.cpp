#include "crm/outbox/crm_deliverer.h"

#include <gmock/gmock.h>

#include "crm/outbox/dispatcher.h"
#include "gateway/base/task_group.h"
#include "tests/crm/outbox_scene.h"

namespace {

using crm::ConnectionReport;
using crm::Delivered;
using crm::DeliveryFault;
using crm::Receipt;
using std::chrono::seconds;
using test::sql;
using testing::ElementsAre;
using Kind = DeliveryFault::Kind;

/// A CRM as one account of it would be: upserts by our key.
struct Account {
  std::map<std::string, std::string> records;  // kind:key -> remote id
  std::vector<std::string> said;               // what was asked, in order
  std::map<std::string, std::string> words;    // what the record says
  std::deque<DeliveryFault> faults;            // instead of the next answers; "ambiguous" does it all the same

  Delivered<Receipt> upsert(std::string const& kind, std::string const& key, std::string words_of_it,
                            std::optional<std::string> const& known) {
    said.push_back(kind + " " + key + (known ? " known as " + *known : ""));
    std::optional<DeliveryFault> fault;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
      if (fault->kind != Kind::ambiguous) return std::unexpected{*fault};
    }
    auto const [record, created] = records.try_emplace(kind + ":" + key, "r_" + std::to_string(records.size() + 1));
    words[record->second] = std::move(words_of_it);
    if (fault) return std::unexpected{*fault};
    return Receipt{.remote_id = record->second, .created = created, .http_status = 200};
  }
};

class FakeAdapter final : public crm::Adapter {
 public:
  FakeAdapter(Account& account, std::string token) : account_{account}, token_{std::move(token)} {}
  base::Async<Delivered<ConnectionReport>> test_connection(base::Instant) override {
    co_return ConnectionReport{"account of " + token_};
  }
  base::Async<Delivered<std::optional<crm::RemoteContact>>> find_contact(std::string, std::string,
                                                                         base::Instant) override {
    co_return std::optional<crm::RemoteContact>{};
  }
  base::Async<Delivered<Receipt>> upsert_contact(crm::CrmContact contact, std::optional<std::string> known,
                                                 base::Instant) override {
    auto const words = contact.first_name + "|" + contact.last_name + "|" + contact.phone + "|" + contact.email;
    co_return account_.upsert("contact", contact.key, words, known);
  }
  base::Async<Delivered<Receipt>> upsert_appointment(crm::CrmAppointment appointment, std::string contact,
                                                     std::optional<std::string> known, base::Instant) override {
    co_return account_.upsert("appointment", appointment.key, appointment.status + " of " + contact, known);
  }
  base::Async<Delivered<Receipt>> create_lead(crm::CrmLead lead, std::string contact, std::optional<std::string> known,
                                              base::Instant) override {
    co_return account_.upsert("lead", lead.key, lead.business_name + " of " + contact, known);
  }
  base::Async<Delivered<Receipt>> log_call(crm::CrmCall call, std::string contact, std::optional<std::string> known,
                                           base::Instant) override {
    co_return account_.upsert("call", call.key, call.outcome + " of " + contact, known);
  }

 private:
  Account& account_;
  std::string token_;
};

class CrmDelivery : public test::OutboxTest {
 protected:
  void SetUp() override {
    OutboxTest::SetUp();
    if (IsSkipped()) return;
    add_integration("ten_1", "int_crm", "{}", "fake");
    sql(conninfo,
        "insert into contacts (tenant_id, id, full_name, phone_e164, email) values "
        "('ten_1', 'con_1', 'Ada King Lovelace', '+15550002222', 'ada@example.com')");
    ASSERT_TRUE(save(ended(call())));
    sql(conninfo,
        "insert into call_outcomes (tenant_id, call_id, category, confidence, reason, contact_id) values "
        "('ten_1', 'call_1', 'appointment_booked', 1, 'booked', 'con_1')");
    sql(conninfo,
        "insert into appointments (tenant_id, id, contact_id, starts_at, ends_at, status) values "
        "('ten_1', 'apt_1', 'con_1', now(), now() + interval '30 minutes', 'confirmed')");
    deliverer.emplace(
        *pool, [this](crm::Integration, base::Instant) -> base::Async<base::Result<base::Secret>> { co_return secret; },
        [this](std::string_view provider, crm::AdapterSettings settings) -> std::unique_ptr<crm::Adapter> {
          ++made;
          if (provider != "fake") return nullptr;
          return std::make_unique<FakeAdapter>(account, std::string{settings.secret.reveal()});
        });
  }

  crm::OutboxRow row(std::string event, std::string payload = "{}", std::string contact = "con_1") {
    crm::OutboxRow out;
    out.tenant = base::TenantId{"ten_1"};
    out.id = "obx_1";
    out.integration = crm::IntegrationId{"int_crm"};
    out.provider = "fake";
    out.event = std::move(event);
    out.call = "call_1";
    if (!contact.empty()) out.contact = std::move(contact);
    out.payload_json = std::move(payload);
    return out;
  }
  Delivered<Receipt> deliver(crm::OutboxRow told) { return run(deliverer->deliver(std::move(told), soon())); }
  std::string link(std::string const& kind) {
    return sql(conninfo,
               "select our_id || ' is ' || remote_id from external_links where integration_id = 'int_crm' "
               "and kind = '" +
                   kind + "'");
  }

  Account account;
  base::Result<base::Secret> secret{base::Secret{"token"}};
  int made = 0;
  std::optional<crm::CrmDeliverer> deliverer;
};

TEST_F(CrmDelivery, tells_whose_call_it_was_and_then_the_call) {
  auto const receipt = deliver(row("call.ended"));
  ASSERT_TRUE(receipt) << receipt.error().detail;
  EXPECT_EQ(receipt->remote_id, "r_2");
  EXPECT_EQ(account.words["r_1"], "Ada King|Lovelace|+15550002222|ada@example.com");
  EXPECT_EQ(account.words["r_2"], "appointment_booked of r_1");
  EXPECT_EQ(link("contact"), "con_1 is r_1");
  EXPECT_EQ(link("call"), "call_1 is r_2");
}

TEST_F(CrmDelivery, tells_a_known_contact_only_what_is_new) {
  ASSERT_TRUE(deliver(row("call.ended")));
  account.said.clear();
  ASSERT_TRUE(deliver(row("appointment.booked", R"({"appointment_id": "apt_1"})")));
  EXPECT_THAT(account.said, ElementsAre("appointment apt_1"));
  account.said.clear();
  ASSERT_TRUE(deliver(row("contact.updated")));
  EXPECT_THAT(account.said, ElementsAre("contact con_1 known as r_1"));
}

TEST_F(CrmDelivery, goes_on_where_it_stopped) {
  account.faults.push_back({.kind = Kind::ambiguous});
  EXPECT_FALSE(deliver(row("call.ended")));
  EXPECT_EQ(link("contact"), "");
  account.faults = {{.kind = Kind::ambiguous}};
  EXPECT_FALSE(deliver(row("call.ended")));
  ASSERT_TRUE(deliver(row("call.ended")));
  account.faults = {{.kind = Kind::unavailable}};
  EXPECT_FALSE(deliver(row("appointment.booked", R"({"appointment_id": "apt_1"})")));
  ASSERT_TRUE(deliver(row("appointment.booked", R"({"appointment_id": "apt_1"})")));
  EXPECT_EQ(account.records.size(), 3U);
}

TEST_F(CrmDelivery, says_the_last_word_of_an_appointment) {
  ASSERT_TRUE(deliver(row("appointment.booked", R"({"appointment_id": "apt_1"})")));
  sql(conninfo, "update appointments set status = 'cancelled' where id = 'apt_1'");
  ASSERT_TRUE(deliver(row("appointment.cancelled", R"({"appointment_id": "apt_1"})")));
  EXPECT_EQ(account.words["r_2"], "cancelled of r_1");
  EXPECT_EQ(account.said.back(), "appointment apt_1 known as r_2");
}

TEST_F(CrmDelivery, logs_the_call_of_somebody_unknown_or_forgotten) {
  ASSERT_TRUE(deliver(row("call.ended", "{}", "")));
  EXPECT_EQ(account.words["r_1"], "appointment_booked of ");
  ASSERT_TRUE(deliver(row("call.ended", "{}", "con_gone")));
}

TEST_F(CrmDelivery, has_nothing_to_tell_of_what_no_crm_keeps_but_the_contact) {
  auto const receipt = deliver(row("message.taken"));
  ASSERT_TRUE(receipt);
  EXPECT_THAT(account.said, ElementsAre("contact con_1"));
}

TEST_F(CrmDelivery, reads_nothing_of_another_tenant) {
  add_tenant("ten_2");
  add_integration("ten_2", "int_2", "{}", "fake");
  auto strange = row("appointment.booked", R"({"appointment_id": "apt_1"})", "");
  strange.tenant = base::TenantId{"ten_2"};
  strange.integration = crm::IntegrationId{"int_2"};
  auto const receipt = deliver(strange);
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, Kind::rejected);
  EXPECT_TRUE(account.said.empty());
}

TEST_F(CrmDelivery, keeps_an_adapter_until_its_settings_change) {
  ASSERT_TRUE(deliver(row("call.ended")));
  ASSERT_TRUE(deliver(row("call.ended")));
  EXPECT_EQ(made, 1);
  sql(conninfo, "update integrations set settings = '{\"country_code\": \"44\"}' where id = 'int_crm'");
  ASSERT_TRUE(deliver(row("call.ended")));
  EXPECT_EQ(made, 2);
}

TEST_F(CrmDelivery, tells_what_is_wrong_with_a_connection) {
  secret = base::fail(base::Fault::refused, "no");
  EXPECT_EQ(deliver(row("call.ended")).error().kind, Kind::needs_reauth);
  secret = base::fail(base::Fault::unavailable, "no database");
  EXPECT_EQ(deliver(row("call.ended")).error().kind, Kind::not_sent);
  secret = base::Secret{"token"};
  crm::Integration integration{base::TenantId{"ten_1"}, crm::IntegrationId{"int_crm"}, "fake", "fake"};
  EXPECT_EQ(run(deliverer->test(integration, soon()))->account, "account of token");
  integration.id = crm::IntegrationId{"int_other"};
  integration.provider = "nobody";
  EXPECT_EQ(run(deliverer->test(integration, soon())).error().kind, Kind::needs_reauth);
}

TEST_F(CrmDelivery, of_a_whole_outbox_through_faults_leaves_each_record_once) {
  base::Metrics metrics;
  for (int i = 2; i <= 20; ++i) {
    auto const n = std::to_string(i);
    ASSERT_TRUE(save(ended(call(i))));
    sql(conninfo, "insert into contacts (tenant_id, id, full_name) values ('ten_1', 'con_" + n + "', 'N" + n + "')");
  }
  std::vector const kinds{Kind::ambiguous, Kind::unavailable, Kind::rate_limited, Kind::not_sent};
  for (int i = 1; i <= 20; ++i) {
    auto const n = std::to_string(i);
    tell({.about = "con_" + n,
          .integration = "int_crm",
          .event = "contact.created",
          .payload = R"({"contact_id": "con_)" + n + R"("})"});
    tell({.about = "con_" + n,
          .integration = "int_crm",
          .event = "call.ended",
          .payload = R"({"contact_id": "con_)" + n + R"(", "call_id": "call_)" + n + R"("})"});
    for (int f = 0; f < 2; ++f)
      account.faults.push_back({.kind = kinds[static_cast<std::size_t>(i + f) % kinds.size()]});
  }
  crm::Dispatcher dispatcher{loop.get_executor(),
                             *pool,
                             time,
                             *deliverer,
                             base::Log::silent(),
                             metrics,
                             {.poll = std::chrono::milliseconds{10},
                              .first_backoff = std::chrono::milliseconds{1},
                              .after_ambiguous = std::chrono::milliseconds{1}},
                             [] { return 0.5; }};
  base::TaskGroup tasks{loop.get_executor()};
  tasks.spawn(dispatcher.run());
  loop.restart();
  auto const until = std::chrono::steady_clock::now() + seconds{20};
  while (sql(conninfo, "select count(*) from outbox where status <> 'done'") != "0" &&
         std::chrono::steady_clock::now() < until)
    loop.run_for(std::chrono::milliseconds{50});
  auto const drain = [&]() -> base::Async<bool> {
    co_await dispatcher.drain(seconds{1});
    co_return true;
  };
  run(drain());
  EXPECT_EQ(sql(conninfo, "select count(*) from outbox where status <> 'done'"), "0");
  EXPECT_EQ(account.records.size(), 40U);
  EXPECT_EQ(sql(conninfo, "select count(*) from external_links"), "40");
  EXPECT_TRUE(account.faults.empty());
}

}  // namespace
