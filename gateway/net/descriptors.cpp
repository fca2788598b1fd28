#include "gateway/net/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace net {
namespace {

rlimit current_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

}  // namespace

std::size_t descriptors_left() {
  int const any = ::open("/", O_PATH | O_CLOEXEC);
  if (any < 0) return 0;
  ::close(any);
  auto const limit = current_limit().rlim_cur;
  auto const used = static_cast<rlim_t>(any);
  return limit > used ? static_cast<std::size_t>(limit - used) : 0;
}

std::size_t raise_descriptor_limit(std::size_t wanted) {
  auto limit = current_limit();
  if (limit.rlim_cur < wanted) {
    auto raised = limit;
    raised.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1'000'000'000));
}

}  // namespace net
