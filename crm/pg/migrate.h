#pragma once
#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace crm::pg {

/// One numbered file of crm/migrations/, as shipped in the binary.
struct Migration {
  int number;
  std::string_view name;  ///< "0001_records"
  std::string_view sql;
};

/// All of them, by number.
std::span<Migration const> shipped_migrations();

struct MigrationReport {
  int applied;  ///< Files applied by this call.
  int version;  ///< Number of the newest file the database has.
};

/// Brings the database up to date: each file in a transaction of its own, under an advisory lock, so that several
/// processes may do this at once. Synchronous, for start-up and commands. Throws StartFailure, and changes nothing
/// further, when a file that was applied has since been changed, when the database is newer than `migrations`, when a
/// file fails, or when somebody else holds the lock for longer than `patience`.
MigrationReport migrate(std::string const& conninfo, std::span<Migration const> migrations = shipped_migrations(),
                        std::chrono::milliseconds patience = std::chrono::seconds{60});

}  // namespace crm::pg
