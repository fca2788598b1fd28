#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "crm/pg/cluster_home.h"
#include "crm/pg/cluster_lock.h"

namespace crm::pg {

/// Why the private server is wanted.
enum class Purpose {
  serve,    ///< For the life of a gateway; refused while another gateway has the same data directory.
  command,  ///< For one command: joins a running server, else starts one and stops it afterwards.
};

/// The PostgreSQL that Switchboard runs for itself: installed binaries, its own cluster, reachable only through a Unix
/// socket in a directory that is closed to other users. The server is a session of its own: it survives our kill -9,
/// and the next start adopts it. Whoever uses it last stops it. Synchronous, for start-up and shutdown only.
class PrivatePostgres {
 public:
  /// Makes the cluster if needed and returns when the server takes connections and the database exists. `binaries`
  /// holds postgres and initdb; empty: the newest installed. Throws StartFailure.
  PrivatePostgres(std::filesystem::path const& data_dir, Purpose purpose, std::filesystem::path binaries = {},
                  std::chrono::milliseconds patience = std::chrono::seconds{60});
  /// stop(), but never throws.
  ~PrivatePostgres();
  PrivatePostgres(PrivatePostgres const&) = delete;
  PrivatePostgres& operator=(PrivatePostgres const&) = delete;

  /// For libpq: a superuser of the private cluster, by trust.
  std::string const& conninfo() const { return conninfo_; }
  /// Process id of the postmaster.
  pid_t server() const { return server_; }
  /// Where the cluster really lives; differs from the data directory when the server's user cannot reach that.
  std::filesystem::path const& folder() const { return home_.folder; }

  /// Starts the server again if it has died; true when it had. Blocks like the constructor: not for a media core.
  bool revive();
  /// Fast shutdown, unless somebody else still uses the server. Safe to repeat.
  void stop();

 private:
  void start_or_adopt(std::chrono::milliseconds patience);
  void make_cluster();
  pid_t launch();
  void make_database();

  ClusterHome home_;
  std::filesystem::path chosen_binaries_;
  ClusterLock lock_;
  std::string conninfo_;
  pid_t server_ = 0;
  bool in_use_ = false;
};

}  // namespace crm::pg
