#include "crm/pg/postmaster_file.h"

#include <signal.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>

namespace crm::pg {
namespace {

enum class Likeness { server, stranger, gone };

Likeness look_at(pid_t process, std::filesystem::path const& cluster) {
  if (::kill(process, 0) != 0 && errno == ESRCH) return Likeness::gone;
  auto const about = std::filesystem::path{"/proc"} / std::to_string(process);
  std::ifstream name_file{about / "comm"};
  std::string name;
  if (!std::getline(name_file, name)) return Likeness::gone;
  std::ifstream state_file{about / "stat"};
  std::string state;
  std::getline(state_file, state);
  if (auto const end = state.rfind(") "); end != std::string::npos && state[end + 2] == 'Z') return Likeness::gone;
  if (name != "postgres") return Likeness::stranger;
  std::error_code error;
  auto const folder = std::filesystem::read_symlink(about / "cwd", error);  // a postmaster works in its cluster
  return error || folder == cluster ? Likeness::server : Likeness::stranger;
}

}  // namespace

std::optional<RunningServer> find_running_server(std::filesystem::path const& cluster) {
  auto const file = cluster / "postmaster.pid";
  std::array<std::string, 8> lines;  // pid, cluster, start time, port, socket folder, TCP address, memory key, status
  {
    std::ifstream in{file};
    for (auto& line : lines) {
      if (!std::getline(in, line)) break;
    }
  }
  pid_t process = 0;
  std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), process);
  if (process <= 0) return std::nullopt;
  switch (look_at(process, cluster)) {
    case Likeness::gone:
      return std::nullopt;
    case Likeness::stranger:
      std::filesystem::remove(file);
      return std::nullopt;
    case Likeness::server:
      break;
  }
  return RunningServer{process, lines[4], lines[7].starts_with("ready")};
}

}  // namespace crm::pg
