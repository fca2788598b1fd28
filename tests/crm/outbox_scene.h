#pragma once
#include "crm/outbox/store.h"
#include "tests/crm/call_scene.h"

namespace test {

/// A tenant with one webhook integration, and rows put into the outbox by hand.
class OutboxTest : public BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    add_integration("ten_1", "int_1");
    pool.emplace(settings(4), time);
  }

  void add_integration(std::string const& tenant, std::string const& id, std::string const& settings_json = "{}",
                       std::string const& provider = "webhook") {
    sql(conninfo, "insert into integrations (tenant_id, id, provider, name, settings) values ('" + tenant + "', '" +
                      id + "', '" + provider + "', '" + id + "', '" + settings_json + "')");
  }
  void add_tenant(std::string const& id) {
    sql(conninfo, "insert into tenants (id, name) values ('" + id + "', '" + id + "')");
  }

  /// A row for int_1 unless told otherwise; its id.
  struct Told {
    std::string about = "con_1";
    std::string tenant = "ten_1";
    std::string integration = "int_1";  ///< Empty: an SMS.
    std::string event = "call.ended";
    std::string payload = R"({"at": "2026-01-31T09:30:00.123Z", "call_id": "call_1", "data": {"outcome": "other"}})";
  };
  std::string tell(Told told) {
    auto const id = "obx_" + std::to_string(++told_);
    bool const sms = told.integration.empty();
    sql(conninfo,
        "insert into outbox (tenant_id, id, target, integration_id, event, order_key, dedupe_key, payload) values ('" +
            told.tenant + "', '" + id + "', '" + (sms ? "sms" : "integration") + "', " +
            (sms ? "null" : "'" + told.integration + "'") + ", '" + told.event + "', '" + told.about + "', '" + id +
            "', '" + told.payload + "')");
    return id;
  }
  std::string tell() { return tell({}); }

  std::vector<crm::OutboxRow> lease(crm::LeaseTerms terms = {}) {
    auto session = pool->until(soon());
    auto const rows = run(crm::lease_due(session, terms));
    EXPECT_TRUE(rows) << rows.error().detail;
    return rows.value_or(std::vector<crm::OutboxRow>{});
  }
  static std::vector<std::string> ids_of(std::vector<crm::OutboxRow> const& rows) {
    std::vector<std::string> ids;
    for (auto const& row : rows) ids.push_back(row.id);
    return ids;
  }
  std::string of(std::string const& id, std::string const& column) {
    return sql(conninfo, "select " + column + " from outbox where id = '" + id + "'");
  }
  std::string of_attempt(std::string const& id, int attempt, std::string const& column) {
    return sql(conninfo, "select " + column + " from delivery_attempts where outbox_id = '" + id +
                             "' and attempt = " + std::to_string(attempt));
  }
  void let_lease_run_out(std::string const& id) {
    sql(conninfo, "update outbox set lease_until = now() - interval '1 second' where id = '" + id + "'");
  }

  std::optional<crm::pg::Pool> pool;

 private:
  int told_ = 0;
};

}  // namespace test
