#include "crm/pg/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "crm/pg/start_failure.h"
#include "gateway/base/background.h"

namespace crm::pg {
namespace {

// Between fork and exec only async-signal-safe calls: another thread may have held any lock at the fork.
bool become(ServerUser const& user) {
  if (!user.differs) return true;
  return ::setgroups(1, &user.gid) == 0 && ::setgid(user.gid) == 0 && ::setuid(user.uid) == 0;
}

void reset_signals() {
  for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2}) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void exec_as(ServerUser const& user, char* const* arguments, char* const* environment, int output) {
  reset_signals();
  base::stand_behind_media();
  int const nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  ::umask(077);
  if (::chdir("/") != 0 || !become(user)) ::_exit(126);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Nothing of our own environment: it may hold secrets, and PG* variables would change the server's behaviour.
std::vector<std::string> plain_environment() {
  return {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "PG_OOM_ADJUST_FILE="};
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

/// For kernels and sandboxes without pidfd.
bool look_until_gone(pid_t process, std::chrono::steady_clock::time_point until) {
  while (::waitpid(process, nullptr, WNOHANG) != process && (::kill(process, 0) == 0 || errno != ESRCH)) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

bool allowed(ServerUser const& user, std::filesystem::path const& directory, int mode) {
  if (!user.differs) return ::access(directory.c_str(), mode) == 0;
  pid_t const child = ::fork();
  if (child < 0) throw StartFailure{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (child == 0) ::_exit(become(user) && ::access(directory.c_str(), mode) == 0 ? 0 : 1);
  return reap(child) == 0;
}

}  // namespace

ServerUser choose_server_user() {
  if (::geteuid() != 0) return ServerUser{::geteuid(), ::getegid(), false};
  for (char const* name : {"postgres", "nobody"}) {
    auto const* account = ::getpwnam(name);
    if (account != nullptr && account->pw_uid != 0) return ServerUser{account->pw_uid, account->pw_gid, true};
  }
  throw StartFailure{
      "PostgreSQL does not run as root and there is no account 'postgres' or 'nobody'; set DATABASE_URL"};
}

ServerUser owner_of(std::filesystem::path const& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    throw StartFailure{fmt::format("cannot look at {}: {}", path.string(), std::strerror(errno))};
  }
  return ServerUser{about.st_uid, about.st_gid, about.st_uid != ::geteuid()};
}

bool can_use(ServerUser const& user, std::filesystem::path const& directory) {
  return allowed(user, directory, R_OK | W_OK | X_OK);
}

bool can_search(ServerUser const& user, std::filesystem::path const& directory) {
  return allowed(user, directory, X_OK);
}

Finished run_as(ServerUser const& user, std::vector<std::string> const& arguments) {
  auto texts = arguments;
  auto environment = plain_environment();
  auto const argument_pointers = pointers(texts);
  auto const environment_pointers = pointers(environment);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw StartFailure{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  pid_t const child = ::fork();
  if (child < 0) throw StartFailure{fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (child == 0) exec_as(user, argument_pointers.data(), environment_pointers.data(), ends[1]);
  ::close(ends[1]);
  Finished finished{0, {}};
  char buffer[4096];
  for (;;) {
    auto const got = ::read(ends[0], buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    finished.output.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  finished.exit_code = reap(child);
  return finished;
}

pid_t start_session_as(ServerUser const& user, std::vector<std::string> const& arguments,
                       std::filesystem::path const& log) {
  auto texts = arguments;
  auto environment = plain_environment();
  auto const argument_pointers = pointers(texts);
  auto const environment_pointers = pointers(environment);
  int const output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (output < 0) throw StartFailure{fmt::format("cannot write {}: {}", log.string(), std::strerror(errno))};
  pid_t const child = ::fork();
  if (child == 0) {
    ::setsid();
    exec_as(user, argument_pointers.data(), environment_pointers.data(), output);
  }
  ::close(output);
  if (child < 0) throw StartFailure{fmt::format("cannot start a process: {}", std::strerror(errno))};
  return child;
}

bool wait_until_gone(pid_t process, std::chrono::milliseconds patience) {
  auto const until = std::chrono::steady_clock::now() + patience;
  // A pidfd tells the end of any process, also of one that an earlier Switchboard started.
  int const handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0U));
  if (handle < 0 && errno != ESRCH) return look_until_gone(process, until);
  bool gone = handle < 0;
  while (!gone) {
    pollfd watched{handle, POLLIN, 0};
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    int const ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    gone = ready > 0;
    if (ready == 0 || (ready < 0 && errno != EINTR)) break;
  }
  if (handle >= 0) ::close(handle);
  if (gone) ::waitpid(process, nullptr, WNOHANG);  // our own child leaves no zombie
  return gone;
}

std::string tail_of(std::filesystem::path const& file, std::uintmax_t offset) {
  constexpr std::uintmax_t longest = 2000;
  std::error_code error;
  auto const size = std::filesystem::file_size(file, error);
  if (error || size <= offset) return {};
  std::ifstream in{file, std::ios::binary};
  in.seekg(static_cast<std::streamoff>(std::max(offset, size > longest ? size - longest : 0)));
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace crm::pg
