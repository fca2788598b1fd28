#pragma once
#include <filesystem>
#include <optional>

namespace crm::pg {

/// The folder with `postgres` and `initdb`: `chosen` (SWITCHBOARD_PG_BIN) if not empty, else
/// /usr/lib/postgresql/<major>/bin, the newest from 15 on, or exactly `major` for a cluster that exists. Throws
/// StartFailure with what to install.
std::filesystem::path find_server_binaries(std::filesystem::path const& chosen, std::optional<int> major);

}  // namespace crm::pg
