#include "loadtest/demo/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace sim::demo {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> merged_environment(Child::Environment const& own) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string const text{*entry};
    if (!own.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (auto const& [name, value] : own) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> raw;
  for (auto& text : texts) raw.push_back(text.data());
  raw.push_back(nullptr);
  return raw;
}

}  // namespace

Child::Child(std::vector<std::string> arguments, Environment const& environment, std::filesystem::path const& log,
             bool read_output) {
  auto variables = merged_environment(environment);
  auto const argv = pointers(arguments);
  auto const envp = pointers(variables);
  int pipe_ends[2] = {-1, -1};
  if (read_output && ::pipe2(pipe_ends, O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe"};
  int const log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_file < 0) throw std::system_error{errno, std::generic_category(), log.string()};
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    // Whatever signals the parent holds back, the program gets its own.
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(read_output ? pipe_ends[1] : log_file, STDOUT_FILENO);
    ::dup2(log_file, STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(log_file);
  if (read_output) {
    ::close(pipe_ends[1]);
    output_ = pipe_ends[0];
  }
  if (pid_ < 0) throw std::system_error{errno, std::generic_category(), "fork"};
}

Child::~Child() {
  stop(std::chrono::seconds{45});
  if (output_ >= 0) ::close(output_);
}

std::string Child::read_line(std::chrono::milliseconds patience) {
  auto const deadline = Clock::now() + patience;
  for (;;) {
    if (auto const end = buffer_.find('\n'); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd readable{output_, POLLIN, 0};
    if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) <= 0) return {};
    char chunk[4096];
    auto const got = ::read(output_, chunk, sizeof chunk);
    if (got <= 0) return std::exchange(buffer_, {});
    buffer_.append(chunk, static_cast<std::size_t>(got));
  }
}

std::string Child::read_all() {
  char chunk[4096];
  for (auto got = ::read(output_, chunk, sizeof chunk); got > 0; got = ::read(output_, chunk, sizeof chunk))
    buffer_.append(chunk, static_cast<std::size_t>(got));
  return std::exchange(buffer_, {});
}

bool Child::reap(bool block) {
  if (pid_ < 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
  pid_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

int Child::wait(std::chrono::milliseconds patience) {
  auto const deadline = Clock::now() + patience;
  while (!reap(false)) {
    if (Clock::now() >= deadline) return -1;
    ::poll(nullptr, 0, 20);
  }
  return status_;
}

void Child::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

int Child::stop(std::chrono::milliseconds patience) {
  if (pid_ < 0) return status_;
  signal(SIGTERM);
  if (wait(patience) >= 0) return status_;
  ::kill(pid_, SIGKILL);
  reap(true);
  return status_;
}

bool Child::is_running() {
  return !reap(false);
}

std::string run(std::vector<std::string> arguments, Child::Environment const& environment,
                std::filesystem::path const& log) {
  auto const name = arguments.size() > 1 ? arguments[1] : arguments[0];
  Child child{std::move(arguments), environment, log, /*read_output=*/true};
  auto output = child.read_all();
  if (child.wait(std::chrono::seconds{30}) != 0) throw std::runtime_error{"'" + name + "' failed; see " + log.string()};
  return output;
}

}  // namespace sim::demo
