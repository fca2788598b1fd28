#pragma once

namespace base {

/// From here on the calling thread, and a program it becomes by exec, stands behind the media cores: what they have to
/// do goes first whenever both want the same processor. Given up is also a real-time priority that was inherited. Linux
/// keeps a nice value for each thread; where it is refused, the thread is merely no better than the others.
/// Async-signal-safe.
void stand_behind_media();

}  // namespace base
