#pragma once
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sim::load {

/// What a process has used so far, as Linux counts it.
struct ProcessUse {
  double cpu_s = 0;                   ///< Of its threads that live.
  std::map<pid_t, double> threads_s;  ///< The same, one by one.
  double rss_kib = 0;

  /// The part of `cpu_s` since `earlier` that its busiest thread spent: with one media core, that core's thread.
  double busiest_since(ProcessUse const& earlier) const;
};

/// Nothing when there is no such process, or none that we may look into.
std::optional<ProcessUse> use_of(pid_t process);

/// How many files and sockets it has open. Takes milliseconds for thousands, unlike use_of().
std::int64_t descriptors_of(pid_t process);

/// Puts a process with all its threads, or with 0 the calling thread, on one CPU. False when that CPU does not exist.
bool pin_to(pid_t process, int cpu);

/// Children of a process, their children included.
std::vector<pid_t> descendants_of(pid_t process);

std::string cpu_model();
std::string kernel_release();

}  // namespace sim::load
