#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace crm::pg {

/// Who may do what with one private cluster, across processes: three byte ranges of one lock file, as
/// open-file-description locks, which the kernel drops when their holder dies in whatever way.
///   service   held by the one `serve` for its life
///   change    held while the server is being started or stopped
///   use       shared by everybody who talks to the server; who leaves last stops it
class ClusterLock {
 public:
  explicit ClusterLock(std::filesystem::path const& file);
  ~ClusterLock();
  ClusterLock(ClusterLock const&) = delete;
  ClusterLock& operator=(ClusterLock const&) = delete;

  /// False when another process serves from this cluster; then service_holder() tells which.
  bool take_service();
  pid_t service_holder() const;
  /// False when somebody else has been starting or stopping the server for all of `patience`.
  bool take_change(std::chrono::milliseconds patience);
  void leave_change();
  /// Call while holding `change`.
  void take_use();
  /// True when nobody else uses the server; call while holding `change`. Our own use ends either way with leave_use().
  bool is_last_user();
  void leave_use();

 private:
  bool set(short kind, off_t byte);
  int file_ = -1;
};

}  // namespace crm::pg
