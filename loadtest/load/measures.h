#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/load/delivery.h"
#include "loadtest/load/figures.h"
#include "loadtest/load/histogram.h"

namespace sim::load {

/// One way through the gateway.
struct Way {
  Tally frames;
  Histogram corrected;    ///< From when a frame was due.
  Histogram uncorrected;  ///< From when it was written.
  Histogram last_second;  ///< Corrected; cleared once it has been shown.

  void record(std::int64_t arrived_ns, std::int64_t sent_ns, std::int64_t due_ns);
};

/// Everything that all calls of a run write into while they go on.
struct Measures {
  Way to_agent;
  Way to_caller;
  Histogram caller_lateness;
  Histogram agent_lateness;
  Histogram pacing_error;
  Histogram lead;
  std::int64_t underruns = 0;
  Interruptions interruptions;
  Histogram until_clear;
  Histogram webhook_answered;
  Histogram stream_accepted;
  Histogram agent_joined;
  Histogram first_audio;
  std::int64_t early_frames_sent = 0;
  std::int64_t early_frames_lost = 0;
  CallCounts calls;
  struct Problem {
    std::string what;
    std::int64_t times = 1;
  };
  std::vector<Problem> problems;  ///< The first twenty different ones.

  void complain(std::string_view what);
};

/// A frame that comes more than this after it was due counts as late.
inline constexpr std::int64_t late_after_ns = 100'000'000;

/// Fills the parts of `figures` that the calls have measured.
void report(Measures const& measures, Figures& figures);

}  // namespace sim::load
