#include "crm/pg/server_binaries.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

#include "crm/pg/start_failure.h"

namespace crm::pg {
namespace {

constexpr int oldest_major = 15;
constexpr char const* debian_root = "/usr/lib/postgresql";

bool has_server(std::filesystem::path const& folder) {
  return std::filesystem::exists(folder / "postgres") && std::filesystem::exists(folder / "initdb");
}

int major_of(std::filesystem::path const& folder) {
  auto const name = folder.filename().string();
  int major = 0;
  std::from_chars(name.data(), name.data() + name.size(), major);
  return major;
}

}  // namespace

std::filesystem::path find_server_binaries(std::filesystem::path const& chosen, std::optional<int> major) {
  if (!chosen.empty()) {
    if (has_server(chosen)) return chosen;
    throw StartFailure{fmt::format("SWITCHBOARD_PG_BIN={} holds no 'postgres' and 'initdb'", chosen.string())};
  }
  std::filesystem::path best;
  int best_major = 0;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator{debian_root, error}) {
    int const found = major_of(entry.path());
    bool const fits = major ? found == *major : found >= oldest_major;
    if (!fits || found <= best_major || !has_server(entry.path() / "bin")) continue;
    best = entry.path() / "bin";
    best_major = found;
  }
  if (!best.empty()) return best;
  throw StartFailure{
      major ? fmt::format("the private database was made by PostgreSQL {0}, which is not installed (apt install "
                          "postgresql-{0}), or set SWITCHBOARD_PG_BIN",
                          *major)
            : fmt::format("no PostgreSQL server from version {} on under {}: apt install postgresql, or set "
                          "SWITCHBOARD_PG_BIN or DATABASE_URL",
                          oldest_major, debian_root)};
}

}  // namespace crm::pg
