#pragma once
#include "crm/outcome/enrich.h"
#include "crm/outcome/settle.h"
#include "tests/crm/call_scene.h"

namespace test {

/// Calls that end, and what is then in the database.
class SettledTest : public BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    pool.emplace(settings(1), time);
  }

  /// As the ledger does it.
  bool write(crm::CallRecord const& record) {
    auto const work = [&](crm::pg::Transaction& transaction) { return save_and_settle(transaction, record); };
    auto const kept = run(pool->transaction(work, soon()));
    EXPECT_TRUE(kept) << kept.error().detail;
    return kept && *kept;
  }

  bool close(crm::CallRecord const& record, crm::CallStatus status = crm::CallStatus::completed) {
    auto const at = record.started_at + seconds{31};
    auto const work = [&](crm::pg::Transaction& transaction) {
      return crm::close_and_settle(transaction, record.call_sid, status, "node_lost", crm::Blame::us, at);
    };
    auto const closed = run(pool->transaction(work, soon()));
    EXPECT_TRUE(closed) << closed.error().detail;
    return closed && *closed;
  }

  bool enrich(crm::Enrichment const& enrichment) {
    auto const work = [&](crm::pg::Transaction& transaction) { return crm::enrich_call(transaction, enrichment); };
    auto const done = run(pool->transaction(work, soon()));
    EXPECT_TRUE(done) << done.error().detail;
    return done && *done;
  }

  std::string value(std::string const& query) { return sql(conninfo, query); }
  void tell(std::string const& text) { sql(conninfo, text); }
  /// Ended in a minute from now on, so that what is in the database is older.
  crm::CallRecord ended_now(crm::CallRecord record) {
    record.started_at = std::chrono::time_point_cast<crm::Wall::duration>(time.wall() - minutes{1});
    auto done = ended(std::move(record));
    done.ended_at = done.started_at + minutes{2};
    return done;
  }
  void add_integration(std::string const& id, std::string const& events = "{}") {
    tell("insert into integrations (tenant_id, id, provider, name, events) values ('ten_1', '" + id +
         "', 'webhook', '" + id + "', '" + events + "')");
  }
  static void asks(crm::CallRecord& record, std::string tool, std::string parameters,
                   std::string result = R"({"ok":true})") {
    crm::CallToolCall asked;
    asked.tool_call_id = "tc_" + std::to_string(record.tool_calls.size());
    asked.name = std::move(tool);
    asked.parameters_json = std::move(parameters);
    asked.is_error = !result.contains(R"("ok":true)");
    asked.result_json = std::move(result);
    record.tool_calls.push_back(std::move(asked));
  }

  using minutes = std::chrono::minutes;
  std::optional<crm::pg::Pool> pool;

  static base::Async<base::Result<bool>> save_and_settle(crm::pg::Transaction& transaction, crm::CallRecord record) {
    auto const saved = co_await crm::save_call(transaction, record);
    if (!saved || !*saved || !is_terminal(record.status)) co_return saved;
    auto const settled = co_await crm::settle_call(transaction, record);
    co_return settled;
  }
};

}  // namespace test
