#include "gateway/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace gateway {
namespace {

double in_seconds(timeval const& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

/// proc(5): the second number of statm is the resident set, in pages.
double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  auto const entries = std::filesystem::directory_iterator{"/proc/self/fd", error};
  if (error) return 0;
  auto const count = std::distance(begin(entries), end(entries));
  return static_cast<double>(count - 1);  // one of them is the look itself
}

double most_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessMetrics::ProcessMetrics(base::Metrics& metrics)
    : cpu_{metrics.counter("process_cpu_seconds_total", "User and system CPU time of the process.")},
      resident_{metrics.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.")},
      open_{metrics.gauge("process_open_fds", "Open descriptors.")},
      most_open_{metrics.gauge("process_max_fds", "Limit of open descriptors.")} {}

void ProcessMetrics::refresh() {
  cpu_.Increment(cpu_seconds() - cpu_.Value());
  resident_.Set(resident_bytes());
  open_.Set(open_descriptors());
  most_open_.Set(most_descriptors());
}

}  // namespace gateway
