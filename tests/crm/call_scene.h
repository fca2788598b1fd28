#pragma once
#include "crm/model/call_record.h"
#include "crm/store/calls.h"
#include "crm/store/phone_numbers.h"
#include "crm/store/tenants.h"
#include "crm/store/voice_agents.h"
#include "tests/crm/scene.h"

namespace test {

/// A migrated database with one tenant, one agent and its number.
class BusinessTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    crm::pg::migrate(conninfo);
    sql(conninfo, "insert into tenants (id, name, timezone) values ('ten_1', 'Acme Dental', 'America/New_York')");
    sql(conninfo,
        "insert into voice_agents (tenant_id, id, name, elevenlabs_agent_id, fallback_kind, fallback_number, "
        "dynamic_variables) values ('ten_1', 'va_1', 'Front', 'agent_abc', 'forward', '+15550009999', "
        "'{\"business\": \"Acme\", \"seats\": 4}')");
    sql(conninfo,
        "insert into phone_numbers (tenant_id, id, e164, agent_id) values ('ten_1', 'num_1', '+15550001111', 'va_1')");
  }

  /// An inbound call in progress, version 1; `number` makes its ids.
  static crm::CallRecord call(int number = 1) {
    auto digits = std::to_string(number);
    digits.insert(0, 32 - digits.size(), '0');
    crm::CallRecord record;
    record.id = base::CallId{"call_" + std::to_string(number)};
    record.tenant = base::TenantId{"ten_1"};
    record.agent = base::AgentId{"va_1"};
    record.call_sid = base::CallSid{"CA" + digits};
    record.account_sid = base::AccountSid{"AC" + digits};
    record.from = "+15550002222";
    record.to = "+15550001111";
    record.status = crm::CallStatus::in_progress;
    record.node = "n1";
    record.node_epoch = 7;
    record.started_at = crm::Wall{std::chrono::milliseconds{1'769'851'800'123 + number}};
    record.answered_at = record.started_at + std::chrono::seconds{1};
    return record;
  }

  static crm::CallRecord ended(crm::CallRecord record) {
    record.version += 1;
    record.status = crm::CallStatus::completed;
    record.ended_at = record.started_at + std::chrono::seconds{61};
    record.duration_ms = 60'000;
    record.ending = "caller_hung_up";
    record.blame = crm::Blame::caller;
    return record;
  }

  static crm::CallTurn turn(crm::Speaker role, std::string said, std::string heard) {
    crm::CallTurn result;
    result.role = role;
    result.said = std::move(said);
    result.heard = std::move(heard);
    return result;
  }

  bool save(crm::CallRecord const& record) {
    crm::pg::Pool pool{settings(1), time};
    auto const work = [&](crm::pg::Transaction& transaction) { return crm::save_call(transaction, record); };
    auto const kept = run(pool.transaction(work, soon()));
    EXPECT_TRUE(kept) << kept.error().detail;
    return kept && *kept;
  }

  std::optional<crm::CallRecord> stored(std::string const& id_or_sid) {
    crm::pg::Pool pool{settings(1), time};
    auto session = pool.until(soon());
    auto const found = run(crm::find_call(session, id_or_sid));
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : std::nullopt;
  }
};

}  // namespace test
