#include "gateway/base/background.h"

#include <sched.h>
#include <sys/resource.h>

namespace base {

void stand_behind_media() {
  constexpr int niceness = 10;  // a tenth of the weight of an ordinary thread
  sched_param const none{};
  (void)::sched_setscheduler(0, SCHED_OTHER, &none);
  if (::getpriority(PRIO_PROCESS, 0) < niceness) (void)::setpriority(PRIO_PROCESS, 0, niceness);
}

}  // namespace base
