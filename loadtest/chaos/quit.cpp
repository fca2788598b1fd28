#include "loadtest/chaos/quit.h"

#include <signal.h>

#include <algorithm>
#include <ctime>

namespace sim::chaos {
namespace {

sigset_t both() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Quit::Quit() {
  auto const set = both();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void Quit::wait(std::chrono::milliseconds how_long) const {
  auto const ms = std::max<std::int64_t>(how_long.count(), 0);
  timespec const patience{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000 * 1'000'000)};
  auto const set = both();
  if (::sigtimedwait(&set, nullptr, &patience) > 0) throw Interrupted{};
}

}  // namespace sim::chaos
