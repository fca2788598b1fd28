#include "gateway/base/background.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>

namespace base {
namespace {

int niceness() {
  return ::getpriority(PRIO_PROCESS, 0);
}

TEST(Background, only_the_calling_thread_stands_behind_the_others) {
  int const ours = niceness();
  int theirs = 0;
  std::thread{[&] {
    stand_behind_media();
    theirs = niceness();
  }}.join();

  EXPECT_GT(theirs, 0);
  EXPECT_GE(theirs, ours);
  EXPECT_EQ(niceness(), ours);
}

TEST(Background, an_inherited_real_time_priority_is_given_up) {
  int policy = -1;
  bool had_it = false;
  std::thread{[&] {
    sched_param const priority{.sched_priority = 1};
    had_it = ::sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
    stand_behind_media();
    policy = ::sched_getscheduler(0);
  }}.join();

  if (!had_it) GTEST_SKIP() << "this user may not set a real-time priority";
  EXPECT_EQ(policy, SCHED_OTHER);
}

}  // namespace
}  // namespace base
