#include "loadtest/load/process_use.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace sim::load {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> number_of(std::string const& name) {
  pid_t value = 0;
  auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return value;
}

std::vector<pid_t> numbers_in(fs::path const& folder) {
  std::vector<pid_t> all;
  std::error_code gone;
  for (fs::directory_iterator entry{folder, gone}, end; !gone && entry != end; entry.increment(gone))
    if (auto const number = number_of(entry->path().filename().string())) all.push_back(*number);
  return all;
}

/// The fourth field of /proc/PID/stat; the second one, a name in parentheses, may hold anything.
pid_t parent_of(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string const text{std::istreambuf_iterator<char>{in}, {}};
  auto const name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 >= text.size()) return 0;
  return static_cast<pid_t>(std::atoi(text.c_str() + name_end + 4));
}

}  // namespace

double ProcessUse::busiest_since(ProcessUse const& earlier) const {
  double most = 0;
  for (auto const& [thread, seconds] : threads_s) {
    auto const before = earlier.threads_s.find(thread);
    most = std::max(most, seconds - (before != earlier.threads_s.end() ? before->second : 0));
  }
  return most;
}

std::optional<ProcessUse> use_of(pid_t process) {
  fs::path const folder = "/proc/" + std::to_string(process);
  ProcessUse use;
  for (auto const thread : numbers_in(folder / "task")) {
    // Nanoseconds on a CPU; /proc/PID/stat knows only hundredths of a second.
    std::ifstream in{folder / "task" / std::to_string(thread) / "schedstat"};
    double nanoseconds = 0;
    if (in >> nanoseconds) use.threads_s[thread] = nanoseconds / 1e9;
  }
  if (use.threads_s.empty()) return std::nullopt;
  for (auto const& [thread, seconds] : use.threads_s) use.cpu_s += seconds;
  std::ifstream memory{folder / "statm"};
  double total = 0;
  double resident = 0;
  if (memory >> total >> resident) use.rss_kib = resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
  return use;
}

std::int64_t descriptors_of(pid_t process) {
  return static_cast<std::int64_t>(numbers_in("/proc/" + std::to_string(process) + "/fd").size());
}

bool pin_to(pid_t process, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (process == 0) return ::sched_setaffinity(0, sizeof set, &set) == 0;
  bool all = true;
  for (auto const thread : numbers_in("/proc/" + std::to_string(process) + "/task"))
    all = ::sched_setaffinity(thread, sizeof set, &set) == 0 && all;
  return all;
}

std::vector<pid_t> descendants_of(pid_t process) {
  std::vector<pid_t> found;
  std::vector<pid_t> const everybody = numbers_in("/proc");
  std::vector<pid_t> open{process};
  while (!open.empty()) {
    auto const parent = open.back();
    open.pop_back();
    for (auto const candidate : everybody) {
      if (parent_of(candidate) != parent) continue;
      found.push_back(candidate);
      open.push_back(candidate);
    }
  }
  return found;
}

std::string cpu_model() {
  std::ifstream in{"/proc/cpuinfo"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name") && line.contains(": ")) return line.substr(line.find(": ") + 2);
  return "unknown";
}

std::string kernel_release() {
  utsname name{};
  return ::uname(&name) == 0 ? std::string{name.sysname} + " " + name.release : "unknown";
}

}  // namespace sim::load
