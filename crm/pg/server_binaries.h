#pragma once
#include <filesystem>
#include <optional>

namespace crm::pg {

/// The folder with `postgres` and `initdb`: SWITCHBOARD_PG_BIN if set, else /usr/lib/postgresql/<major>/bin, the newest
/// from 15 on, or exactly `major` for a cluster that exists. Throws StartFailure with what to install.
std::filesystem::path find_server_binaries(std::optional<int> major);

}  // namespace crm::pg
