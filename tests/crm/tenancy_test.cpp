#include "tests/crm/call_scene.h"

namespace {

using test::sql;

/// Two tenants with a contact each.
class Tenancy : public test::BusinessTest {
 protected:
  void SetUp() override {
    BusinessTest::SetUp();
    if (IsSkipped()) return;
    sql(conninfo, "insert into tenants (id, name) values ('ten_2', 'Other')");
    sql(conninfo,
        "insert into contacts (tenant_id, id, full_name, phone_e164) values "
        "('ten_1', 'con_1', 'Ada', '+15550003333'), ('ten_2', 'con_2', 'Bob', '+15550004444')");
    pool.emplace(settings(1), time);
  }
  void TearDown() override {
    if (pool) pool->close();
  }

  /// The first value of a statement that runs for one tenant, or the fault.
  std::string as_tenant(std::string const& tenant, char const* statement) {
    auto const work = [&](crm::pg::Transaction& session) -> base::Async<base::Result<std::string>> {
      auto const rows = co_await session.run({"statement of the test", statement}, {});
      if (!rows) co_return std::unexpected{rows.error()};
      co_return rows->empty() ? std::to_string(rows->affected()) : (*rows)[0].text("value");
    };
    auto const answer = run(pool->transaction_of(base::TenantId{tenant}, work, soon()));
    return answer ? *answer : std::string{base::to_string(answer.error().fault)};
  }

  std::optional<crm::pg::Pool> pool;
};

constexpr char const* names = "select string_agg(full_name, ',' order by full_name) as value from contacts";

TEST_F(Tenancy, a_tenant_sees_its_own_rows_although_the_statement_names_none) {
  EXPECT_EQ(as_tenant("ten_1", names), "Ada");
  EXPECT_EQ(as_tenant("ten_2", names), "Bob");
  EXPECT_EQ(as_tenant("ten_1", "select string_agg(id, ',') as value from tenants"), "ten_1");
}

TEST_F(Tenancy, a_tenant_cannot_change_the_rows_of_another) {
  EXPECT_EQ(as_tenant("ten_1", "update contacts set full_name = 'Eve' where id = 'con_2'"), "0");
  EXPECT_EQ(as_tenant("ten_1", "delete from contacts where id = 'con_2'"), "0");
  EXPECT_EQ(as_tenant("ten_1", "insert into contacts (tenant_id, id, full_name) values ('ten_2', 'con_3', 'Eve')"),
            "refused");
  EXPECT_EQ(as_tenant("ten_1", "update contacts set tenant_id = 'ten_2' where id = 'con_1'"), "refused");
  EXPECT_EQ(sql(conninfo, "select count(*) from contacts where full_name = 'Eve'"), "0");
  EXPECT_EQ(sql(conninfo, "select tenant_id from contacts where id = 'con_1'"), "ten_1");
}

TEST_F(Tenancy, an_unknown_or_missing_tenant_sees_nothing) {
  auto const count = "select count(*)::text as value from contacts";
  EXPECT_EQ(as_tenant("ten_9", count), "0");
  EXPECT_EQ(as_tenant("", count), "0");
}

TEST_F(Tenancy, ends_with_its_transaction) {
  EXPECT_EQ(as_tenant("ten_1", names), "Ada");
  // The same connection: there is only one.
  auto session = pool->until(soon());
  auto const all = run(session.run({"all", "select count(*) as value from contacts"}, {}));
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ((*all)[0].integer("value"), 2);
  auto const bare = run(session.run(
      {"bare", "select current_user::text as value, current_setting('switchboard.tenant', true) as tenant"}, {}));
  EXPECT_NE((*bare)[0].text("value"), "switchboard_app");
  EXPECT_EQ((*bare)[0].text("tenant"), "");
}

TEST_F(Tenancy, an_audit_entry_stays_as_it_was_written) {
  EXPECT_EQ(as_tenant("ten_1",
                      "insert into audit_entries (tenant_id, ordinal, actor, action, subject, hash) "
                      "values ('ten_1', 1, 'usr_1', 'login', 'usr_1', 'x')"),
            "1");
  EXPECT_EQ(as_tenant("ten_1", "update audit_entries set actor = 'nobody'"), "refused");
  EXPECT_EQ(as_tenant("ten_1", "delete from audit_entries"), "refused");
}

TEST_F(Tenancy, every_table_of_a_tenant_forces_row_level_security) {
  auto const open = sql(
      conninfo,
      "select coalesce(string_agg(c.relname, ', '), '') from pg_class c where c.relkind in ('r', 'p') and "
      "c.relnamespace = 'public'::regnamespace and (c.relname = 'tenants' or exists (select from pg_attribute a where "
      "a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)) and not (c.relrowsecurity and "
      "c.relforcerowsecurity and exists (select from pg_policies p where p.tablename = c.relname and p.policyname = "
      "'of_all') and exists (select from pg_policies p where p.tablename = c.relname and p.policyname = 'of_tenant' "
      "and "
      "p.qual like '%NULLIF(current_setting%'))");
  EXPECT_EQ(open, "") << "tables without forced policies";
}

TEST_F(Tenancy, a_composite_key_leads_from_every_table_of_a_tenant_to_its_neighbours) {
  // A foreign key looks past row-level security: without tenant_id in it, a row could point at another tenant's.
  auto const loose =
      sql(conninfo,
          "select coalesce(string_agg(k.conrelid::regclass || '.' || k.conname, ', '), '') from pg_constraint k where "
          "k.contype = 'f' and k.confrelid <> 'tenants'::regclass and not exists (select from pg_attribute a where "
          "a.attrelid = k.conrelid and a.attname = 'tenant_id' and a.attnum = any (k.conkey))");
  EXPECT_EQ(loose, "");
}

/// As on a server of somebody else: the login owns its database and nothing more.
TEST_F(Tenancy, holds_for_a_login_that_owns_the_tables_and_still_lets_the_gateway_see_all) {
  sql(server()->conninfo(),
      "do $$ begin create role plain_owner nologin createrole; exception when duplicate_object then null; end $$");
  sql(server()->conninfo(), "grant switchboard_app, switchboard_system to plain_owner");
  auto const fresh = make_database();
  auto const name = fresh.substr(fresh.rfind('=') + 1);
  sql(server()->conninfo(), "alter database " + name + " owner to plain_owner");
  sql(fresh, "alter schema public owner to plain_owner");
  conninfo = fresh + " options='-c role=plain_owner'";
  crm::pg::migrate(conninfo);
  EXPECT_EQ(sql(conninfo, "select current_user"), "plain_owner");
  sql(conninfo, "insert into tenants (id, name) values ('ten_1', 'One'), ('ten_2', 'Two')");
  EXPECT_EQ(sql(conninfo, "select count(*) from tenants"), "2");
  crm::pg::Pool plain{settings(1), time};
  auto const work = [](crm::pg::Transaction& session) -> base::Async<base::Result<std::int64_t>> {
    auto const rows = co_await session.run({"count", "select count(*) as value from tenants"}, {});
    if (!rows) co_return std::unexpected{rows.error()};
    co_return (*rows)[0].integer("value");
  };
  auto const seen = run(plain.transaction_of(base::TenantId{"ten_1"}, work, soon()));
  plain.close();
  ASSERT_TRUE(seen) << seen.error().detail;
  EXPECT_EQ(*seen, 1);
}

}  // namespace
