#include "crm/pg/migrate.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "crm/pg/start_failure.h"
#include "gateway/base/ids.h"

namespace crm::pg {
namespace {

constexpr Migration shipped[] = {
#include "embedded_migrations.inc"
};

// Any number will do as long as nobody else uses it: "switchbo" in ASCII.
constexpr std::int64_t lock_key = 0x737769746368626f;

struct Closed {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Closed>;

struct Applied {
  std::string name;
  std::string checksum;
};

std::string checksum(std::string_view text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return base::to_hex(std::span{digest}.first(length));
}

/// A blocking connection: start-up has nothing else to do meanwhile.
class Session {
 public:
  explicit Session(std::string const& conninfo) {
    // libpq would wait for ever for a silent host; what `conninfo` says about that comes later in the list and wins.
    char const* const keywords[] = {"connect_timeout", "dbname", nullptr};
    char const* const values[] = {"10", conninfo.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(keywords, values, /*expand_dbname=*/1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      throw StartFailure{fmt::format("cannot reach the database: {}", PQerrorMessage(connection_.get()))};
    }
    PQsetNoticeProcessor(connection_.get(), [](void*, char const*) {}, nullptr);
  }

  /// `doing` completes the sentence "cannot … : reason".
  Answer run(std::string const& sql, std::string const& doing) {
    Answer answer{PQexec(connection_.get(), sql.c_str())};
    auto const status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
    throw StartFailure{fmt::format("cannot {}: {}", doing, PQerrorMessage(connection_.get()))};
  }

  void note(Migration const& migration) {
    auto const number = std::to_string(migration.number);
    std::string const name{migration.name};
    auto const sum = checksum(migration.sql);
    char const* const values[] = {number.c_str(), name.c_str(), sum.c_str()};
    Answer const answer{PQexecParams(connection_.get(),
                                     "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)", 3,
                                     nullptr, values, nullptr, nullptr, 0)};
    if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return;
    throw StartFailure{fmt::format("cannot note migration {}: {}", name, PQerrorMessage(connection_.get()))};
  }

 private:
  std::unique_ptr<PGconn, Closed> connection_;
};

std::map<int, Applied> read_applied(Session& session) {
  auto const rows = session.run("select number, name, checksum from schema_migrations order by number",
                                "read which migrations were applied");
  std::map<int, Applied> applied;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    applied[std::stoi(PQgetvalue(rows.get(), i, 0))] = {PQgetvalue(rows.get(), i, 1), PQgetvalue(rows.get(), i, 2)};
  }
  return applied;
}

void check(std::map<int, Applied> const& applied, std::span<Migration const> migrations) {
  std::map<int, Migration const*> known;
  for (auto const& migration : migrations) known[migration.number] = &migration;
  for (auto const& [number, was] : applied) {
    auto const found = known.find(number);
    if (found == known.end()) {
      throw StartFailure{
          fmt::format("the database has migration {}, which this binary does not know: it is newer than the "
                      "binary, install the version that made it",
                      was.name)};
    }
    if (checksum(found->second->sql) != was.checksum) {
      throw StartFailure{
          fmt::format("migration {} was changed after it had been applied to this database: restore the "
                      "file and put the change into a new one",
                      was.name)};
    }
  }
}

}  // namespace

std::span<Migration const> shipped_migrations() {
  return shipped;
}

MigrationReport migrate(std::string const& conninfo, std::span<Migration const> migrations,
                        std::chrono::milliseconds patience) {
  Session session{conninfo};
  MigrationReport report{0, 0};
  // The lock lasts for a transaction, not for the session: that also holds behind a transaction-pooling proxy.
  auto const begin = [&] {
    session.run("begin", "begin a transaction");
    session.run(fmt::format("set local lock_timeout = {}", patience.count()), "limit the wait");
    session.run(fmt::format("select pg_advisory_xact_lock({})", lock_key),
                "migrate the database while another process does");
  };
  begin();
  session.run(
      "create table if not exists schema_migrations (number integer primary key, name text not null, "
      "checksum text not null, applied_at timestamptz not null default now())",
      "make the table of migrations");
  auto applied = read_applied(session);
  check(applied, migrations);
  session.run("commit", "commit");
  for (auto const& migration : migrations) {
    if (applied.contains(migration.number)) continue;
    begin();
    applied = read_applied(session);
    check(applied, migrations);
    if (!applied.contains(migration.number)) {
      session.run(std::string{migration.sql}, fmt::format("apply migration {}", migration.name));
      session.note(migration);
      ++report.applied;
    }
    session.run("commit", "commit");
  }
  if (!migrations.empty()) report.version = migrations.back().number;
  return report;
}

}  // namespace crm::pg
