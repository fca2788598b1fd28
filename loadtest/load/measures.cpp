#include "loadtest/load/measures.h"

#include <algorithm>

namespace sim::load {
namespace {

constexpr std::size_t most_problems = 20;

Direction direction_of(Way const& way) {
  auto const& counted = way.frames;
  Direction direction;
  direction.frames = {.sent = counted.sent,
                      .received = counted.received,
                      .lost = counted.lost,
                      .late = counted.late,
                      .swapped = counted.swapped,
                      .duplicated = counted.duplicated,
                      .crossed = counted.crossed,
                      .damaged = counted.damaged,
                      .late_after_ms = static_cast<double>(late_after_ns) / 1e6};
  direction.latency = {way.corrected.distribution(), way.uncorrected.distribution()};
  return direction;
}

}  // namespace

void Way::record(std::int64_t arrived_ns, std::int64_t sent_ns, std::int64_t due_ns) {
  auto const since_due = arrived_ns - due_ns;
  corrected.record(since_due);
  uncorrected.record(arrived_ns - sent_ns);
  last_second.record(since_due);
  if (since_due > late_after_ns) ++frames.late;
}

void Measures::complain(std::string_view what) {
  auto const known = std::ranges::find(problems, what, &Problem::what);
  if (known != problems.end())
    ++known->times;
  else if (problems.size() < most_problems)
    problems.push_back({std::string{what}});
}

void report(Measures const& measures, Figures& figures) {
  figures.calls = measures.calls;
  figures.to_agent = direction_of(measures.to_agent);
  figures.to_caller = direction_of(measures.to_caller);
  figures.pacing = {measures.pacing_error.distribution(), measures.underruns,
                    static_cast<double>(measures.lead.at(0.5)) / 1e6};
  figures.interruptions = measures.interruptions;
  figures.interruptions.until_clear = measures.until_clear.distribution();
  figures.set_up = {.webhook_answered = measures.webhook_answered.distribution(),
                    .stream_accepted = measures.stream_accepted.distribution(),
                    .agent_joined = measures.agent_joined.distribution(),
                    .first_audio = measures.first_audio.distribution(),
                    .early_frames_lost = measures.early_frames_lost,
                    .early_frames_sent = measures.early_frames_sent};
  figures.generator.lateness = measures.caller_lateness.distribution();
  figures.generator.agent_lateness = measures.agent_lateness.distribution();
  for (auto const& [what, times] : measures.problems)
    figures.problems.push_back(times == 1 ? what : what + " (" + std::to_string(times) + " times)");
}

}  // namespace sim::load
