#include "crm/pg/migrate.h"

#include <thread>

#include "tests/crm/scene.h"

namespace {

using crm::pg::migrate;
using crm::pg::Migration;
using crm::pg::StartFailure;
using test::sql;

class Migrations : public test::DatabaseTest {
 protected:
  std::string refusal(std::span<Migration const> migrations,
                      std::chrono::milliseconds patience = std::chrono::seconds{60}) {
    try {
      migrate(conninfo, migrations, patience);
    } catch (StartFailure const& failure) {
      return failure.what();
    }
    return "";
  }
};

constexpr Migration first{1, "0001_first", "create table a (x int); create table b (x int);"};
constexpr Migration second{2, "0002_second", "alter table a add y text default ';';"};

TEST_F(Migrations, bring_an_empty_database_up_to_date_once) {
  auto const fresh = migrate(conninfo);
  EXPECT_EQ(fresh.applied, static_cast<int>(crm::pg::shipped_migrations().size()));
  auto const again = migrate(conninfo);
  EXPECT_EQ(again.applied, 0);
  EXPECT_EQ(again.version, fresh.version);
  EXPECT_EQ(sql(conninfo, "select count(*) from calls"), "0");
}

TEST_F(Migrations, apply_only_what_is_new) {
  Migration const one[] = {first};
  Migration const two[] = {first, second};
  EXPECT_EQ(migrate(conninfo, one).applied, 1);
  EXPECT_EQ(migrate(conninfo, two).applied, 1);
  EXPECT_EQ(migrate(conninfo, two).version, 2);
}

TEST_F(Migrations, refuse_a_file_that_was_changed_after_it_shipped_and_name_it) {
  Migration const shipped[] = {first};
  Migration const changed[] = {{1, "0001_first", "create table a (x bigint);"}};
  migrate(conninfo, shipped);
  EXPECT_NE(refusal(changed).find("0001_first"), std::string::npos);
}

TEST_F(Migrations, refuse_a_database_that_is_newer_than_the_binary) {
  Migration const newer[] = {first, second};
  Migration const older[] = {first};
  migrate(conninfo, newer);
  EXPECT_NE(refusal(older).find("0002_second"), std::string::npos);
}

TEST_F(Migrations, leave_nothing_of_a_file_that_fails) {
  Migration const broken[] = {first, {2, "0002_broken", "create table c (x int); select no_such_function();"}};
  EXPECT_NE(refusal(broken).find("0002_broken"), std::string::npos);
  EXPECT_EQ(sql(conninfo, "select count(*) from pg_tables where tablename = 'c'"), "0");
  EXPECT_EQ(sql(conninfo, "select max(number) from schema_migrations"), "1");
}

TEST_F(Migrations, run_once_when_several_processes_start_together) {
  std::atomic<int> applied{0};
  {
    std::vector<std::jthread> starters;
    for (int i = 0; i < 6; ++i) starters.emplace_back([&] { applied += migrate(conninfo).applied; });
  }
  EXPECT_EQ(applied, static_cast<int>(crm::pg::shipped_migrations().size()));
}

TEST_F(Migrations, do_not_wait_for_ever_for_another_process) {
  std::unique_ptr<PGconn, void (*)(PGconn*)> const other{PQconnectdb(conninfo.c_str()), PQfinish};
  PQclear(PQexec(other.get(), "begin; select pg_advisory_xact_lock(8320234785195188847)"));
  EXPECT_NE(refusal(crm::pg::shipped_migrations(), std::chrono::milliseconds{50}).find("another process"),
            std::string::npos);
}

TEST_F(Migrations, say_so_when_there_is_no_database) {
  conninfo = "host=/nonexistent dbname=none";
  EXPECT_NE(refusal(crm::pg::shipped_migrations()).find("cannot reach the database"), std::string::npos);
}

}  // namespace
