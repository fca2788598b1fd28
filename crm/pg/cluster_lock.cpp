#include "crm/pg/cluster_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>

#include "crm/pg/start_failure.h"

namespace crm::pg {
namespace {

// The locked bytes lie past the text (the process id of `serve`) that the file holds; locking beyond the end is
// allowed.
constexpr off_t service_byte = 1000;
constexpr off_t change_byte = 1001;
constexpr off_t use_byte = 1002;

}  // namespace

ClusterLock::ClusterLock(std::filesystem::path const& file) {
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file_ < 0) throw StartFailure{fmt::format("cannot open {}: {}", file.string(), std::strerror(errno))};
}

ClusterLock::~ClusterLock() {
  ::close(file_);
}

bool ClusterLock::set(short kind, off_t byte) {
  struct flock range{};
  range.l_type = kind;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  return ::fcntl(file_, F_OFD_SETLK, &range) == 0;
}

bool ClusterLock::take_service() {
  if (!set(F_WRLCK, service_byte)) return false;
  auto const text = fmt::format("{}\n", ::getpid());
  bool const noted = ::ftruncate(file_, 0) == 0 && ::pwrite(file_, text.data(), text.size(), 0) > 0;
  (void)noted;  // only for the sentence that a second `serve` prints
  return true;
}

pid_t ClusterLock::service_holder() const {
  char text[32];
  auto const got = ::pread(file_, text, sizeof text, 0);
  pid_t holder = 0;
  if (got > 0) std::from_chars(text, text + got, holder);
  return holder;
}

bool ClusterLock::take_change(std::chrono::milliseconds patience) {
  auto const until = std::chrono::steady_clock::now() + patience;
  while (!set(F_WRLCK, change_byte)) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});  // fcntl cannot wait with a limit
  }
  return true;
}

void ClusterLock::leave_change() {
  set(F_UNLCK, change_byte);
}
void ClusterLock::take_use() {
  set(F_RDLCK, use_byte);
}
bool ClusterLock::is_last_user() {
  return set(F_WRLCK, use_byte);
}
void ClusterLock::leave_use() {
  set(F_UNLCK, use_byte);
}

}  // namespace crm::pg
