#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace crm::pg {

/// What a running server says about itself in postmaster.pid (PostgreSQL 15, src/include/utils/pidfile.h).
struct RunningServer {
  pid_t process;
  std::string socket_folder;  ///< Empty for the first moments.
  bool ready;
};

/// Nothing when no server runs on this cluster. A file left by a server that is gone, whose process number now belongs
/// to some other program, is removed: PostgreSQL itself would refuse to start because of it.
std::optional<RunningServer> find_running_server(std::filesystem::path const& cluster);

}  // namespace crm::pg
