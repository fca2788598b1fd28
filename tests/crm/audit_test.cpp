#include "crm/store/audit.h"

#include "tests/crm/call_scene.h"

namespace {

using base::TenantId;
using test::sql;

class Audit : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Other')");
    pool.emplace(settings(4), time);
  }

  static crm::AuditFact fact(std::string const& subject, std::string tenant = "ten_1") {
    return {.tenant = TenantId{std::move(tenant)},
            .actor = "cli:ada",
            .action = "agent.updated",
            .subject = subject,
            .detail_json = R"({"changed": ["name", "language"], "n": 1})"};
  }
  base::Result<> append(crm::AuditFact const& one) {
    auto const work = [&](crm::pg::Transaction& transaction) { return crm::append_audit(transaction, one); };
    return run(pool->transaction(work, soon()));
  }
  base::Async<> append_one(std::string subject) {
    auto const one = fact(subject);
    auto const work = [&](crm::pg::Transaction& transaction) { return crm::append_audit(transaction, one); };
    auto const noted = co_await pool->transaction(work, soon());
    EXPECT_TRUE(noted) << noted.error().detail;
  }
  crm::AuditVerdict verdict(std::string const& tenant = "ten_1") {
    auto session = pool->until(soon());
    auto const verified = run(crm::verify_audit(session, TenantId{tenant}));
    EXPECT_TRUE(verified) << verified.error().detail;
    return verified.value_or(crm::AuditVerdict{});
  }
  void append_three() {
    for (auto const* subject : {"va_1", "va_2", "va_3"}) ASSERT_TRUE(append(fact(subject)));
  }

  std::optional<crm::pg::Pool> pool;
};

TEST_F(Audit, keeps_a_chain_for_each_tenant) {
  append_three();
  ASSERT_TRUE(append(fact("va_9", "ten_2")));
  EXPECT_EQ(verdict().entries, 3);
  EXPECT_FALSE(verdict().first_wrong);
  EXPECT_EQ(verdict("ten_2").entries, 1);
  EXPECT_EQ(verdict().newest_hash,
            sql(conninfo, "select hash from audit_entries where tenant_id = 'ten_1' and ordinal = 3"));
  auto session = pool->until(soon());
  auto const listed = run(crm::list_audit(session, TenantId{"ten_1"}, 2));
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[0].fact.subject, "va_3");
  EXPECT_EQ((*listed)[0].ordinal, 3);
}

TEST_F(Audit, finds_an_entry_that_was_changed) {
  for (auto const* column : {"actor = 'cli:eve'", "action = 'x'", "subject = 'va_9'", "detail = '{}'",
                             "at = at + interval '1 second'", "hash = repeat('0', 64)"}) {
    sql(conninfo, "delete from audit_entries");
    append_three();
    sql(conninfo, std::string{"update audit_entries set "} + column + " where ordinal = 2");
    EXPECT_EQ(verdict().first_wrong, 2) << column;
    EXPECT_EQ(verdict().entries, 3);
  }
}

TEST_F(Audit, finds_that_an_entry_was_taken_out_or_moved) {
  append_three();
  sql(conninfo, "delete from audit_entries where ordinal = 2");
  EXPECT_EQ(verdict().first_wrong, 3);
  sql(conninfo, "update audit_entries set ordinal = 2 where ordinal = 3");
  EXPECT_EQ(verdict().first_wrong, 2);
  sql(conninfo, "delete from audit_entries");
  append_three();
  sql(conninfo, "update audit_entries set tenant_id = 'ten_2'");
  EXPECT_EQ(verdict("ten_2").first_wrong, 1) << "the chain of another tenant";
}

TEST_F(Audit, is_not_forked_by_two_who_write_at_once) {
  int done = 0;
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(loop, append_one("va_" + std::to_string(i)), [&](std::exception_ptr) { ++done; });
  loop.restart();
  while (done < 20) loop.run_one();
  EXPECT_EQ(verdict().entries, 20);
  EXPECT_FALSE(verdict().first_wrong);
}

TEST_F(Audit, has_no_entry_of_what_was_not_done) {
  auto const refused = [](crm::pg::Transaction&) -> base::Async<base::Result<>> {
    co_return base::fail(base::Fault::conflict, "no");
  };
  EXPECT_FALSE(run(crm::audited(*pool, fact("va_1"), refused, soon())));
  EXPECT_EQ(verdict().entries, 0);
  EXPECT_FALSE(append(fact("va_1", "ten_gone")));
}

TEST_F(Audit, takes_bytes_that_are_no_text) {
  auto odd = fact(std::string{"va_\0\xff", 5});
  odd.detail_json = "no json";
  ASSERT_TRUE(append(odd));
  EXPECT_FALSE(verdict().first_wrong);
}

}  // namespace
