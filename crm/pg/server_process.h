#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace crm::pg {

/// The account under which server programs run. PostgreSQL refuses to run as root.
struct ServerUser {
  uid_t uid;
  gid_t gid;
  bool differs;  ///< We are root and the server is not: its files must be handed over and its parents be searchable.
};

/// Ourselves; for root the account "postgres", else "nobody". Throws StartFailure when neither exists.
ServerUser choose_server_user();
/// The owner of existing files.
ServerUser owner_of(std::filesystem::path const& path);

/// Whether the user may read, write and search the directory, parents included.
bool can_use(ServerUser const& user, std::filesystem::path const& directory);
/// Whether the user may search the directory, parents included.
bool can_search(ServerUser const& user, std::filesystem::path const& directory);

struct Finished {
  int exit_code;  ///< 128 + signal when it was killed.
  std::string output;
};
/// Runs a program to its end, standard output and error collected.
Finished run_as(ServerUser const& user, std::vector<std::string> const& arguments);

/// Starts a program in a session of its own, so that Ctrl-C at our terminal does not reach it and it outlives us.
/// Output is appended to `log`. Returns its process id; the caller reaps it.
pid_t start_session_as(ServerUser const& user, std::vector<std::string> const& arguments,
                       std::filesystem::path const& log);

/// Waits until a process, child or not, is gone; false when it is still there after `patience`.
bool wait_until_gone(pid_t process, std::chrono::milliseconds patience);

/// The last part of a file from `offset` on, at most 2000 bytes, for an error message.
std::string tail_of(std::filesystem::path const& file, std::uintmax_t offset);

}  // namespace crm::pg
