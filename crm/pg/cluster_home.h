#pragma once
#include <filesystem>

#include "crm/pg/server_process.h"

namespace crm::pg {

/// Where one private cluster lives on disk, and as whom its server runs.
struct ClusterHome {
  std::filesystem::path folder;   ///< Ours; owned by the server's user, mode 0700.
  std::filesystem::path cluster;  ///< PGDATA, once it exists.
  std::filesystem::path log;
  std::filesystem::path lock;
  ServerUser user;
};

/// Finds or makes the home for a data directory. Normally it is the directory itself. When we are root and the server's
/// user cannot reach it (a clone under /root, say), the home is a folder of its own below `shelter`, and the file
/// `moved-to` in the data directory remembers which. Throws StartFailure.
ClusterHome settle(std::filesystem::path const& data_dir,
                   std::filesystem::path const& shelter = "/var/lib/switchboard");

/// A private directory for the server's socket whose socket path fits into sockaddr_un. Throws StartFailure when
/// somebody else holds the name.
std::filesystem::path socket_folder(ClusterHome const& home);

}  // namespace crm::pg
