#pragma once
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "gateway/base/async.h"

namespace base {

/// The only way to ask for the time or to wait. Durations run on the steady clock; wall time is for records and
/// protocols.
class TimeSource {
 public:
  using Clock = std::chrono::steady_clock;
  using Instant = Clock::time_point;
  using Wall = std::chrono::system_clock::time_point;

  virtual ~TimeSource() = default;
  virtual Instant now() const = 0;
  virtual Wall wall() const = 0;
  /// Resumes at `when` (at once when it has passed). Fault::cancelled when the awaiting coroutine is cancelled first,
  /// or was before it came here.
  virtual Async<Result<>> wait_until(Instant when) = 0;

  Async<Result<>> wait(Clock::duration how_long) { return wait_until(now() + how_long); }
  /// Resumes at `when`, or as soon as what waits for `alarm` is cancelled; nobody else may wait for it meanwhile.
  /// Waiting for either of two things costs a group of coroutines as a rule, and every call waits so all its life.
  virtual Async<> wait_for_either(Instant when, asio::steady_timer& alarm);
};

using Instant = TimeSource::Instant;

/// The machine's clocks; waits with one Asio timer a call, on the executor of the awaiting coroutine.
class SystemTime final : public TimeSource {
 public:
  Instant now() const override { return Clock::now(); }
  Wall wall() const override { return std::chrono::system_clock::now(); }
  Async<Result<>> wait_until(Instant when) override;
  Async<> wait_for_either(Instant when, asio::steady_timer& alarm) override;
};

/// "2026-01-31T09:30:00.123Z", the form of every time at the edge.
std::string iso8601(TimeSource::Wall when);

}  // namespace base
