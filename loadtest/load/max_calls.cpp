#include "loadtest/load/max_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sim::load {
namespace {

std::string wrong_with(std::string_view direction, Direction const& figures, double p99_ms) {
  auto const& frames = figures.frames;
  auto const complaint = [&](std::int64_t count, char const* what) {
    return fmt::format("{} frames {} ({})", count, what, direction);
  };
  if (frames.lost > 0) return complaint(frames.lost, "lost");
  if (frames.swapped > 0) return complaint(frames.swapped, "swapped");
  if (frames.duplicated > 0) return complaint(frames.duplicated, "duplicated");
  if (frames.crossed > 0) return complaint(frames.crossed, "in the wrong call");
  if (frames.damaged > 0) return complaint(frames.damaged, "damaged");
  if (frames.received == 0) return fmt::format("no audio arrived ({})", direction);
  auto const& times = figures.latency.corrected;
  // Written so that a p99 that is no number fails, too.
  if (!(times.p99_ms <= p99_ms)) return fmt::format("p99 {:.1f} ms ({})", times.p99_ms, direction);
  return {};
}

class Search {
 public:
  Search(RunCalls const& run, MaxCallsOptions const& options, OnProbe const& on_probe)
      : run_{run}, options_{options}, on_probe_{on_probe}, too_many_{options.limit + 1} {}

  MaxCalls find() {
    double_up();
    narrow_down();
    confirm();
    found_.report.max_calls = found_.calls;
    return std::move(found_);
  }

 private:
  /// True when that many calls were carried; learns from both answers.
  bool carries(int calls, double seconds) {
    auto why = try_with(calls, seconds);
    // Somebody else's work on the machine passes; a generator that is at its end is so twice.
    if (generator_was_late()) why = try_with(calls, seconds);
    if (why.empty()) {
      carried_ = std::max(carried_, calls);
      return true;
    }
    too_many_ = calls;
    carried_ = std::min(carried_, calls - 1);
    found_.why = why;
    found_.ended_by = generator_was_late() ? MaxCalls::EndedBy::generator : MaxCalls::EndedBy::target;
    return false;
  }

  bool generator_was_late() const { return found_.report.runs.back().generator.was_bottleneck; }

  /// Why that many calls were not carried; empty when they were.
  std::string try_with(int calls, double seconds) {
    auto figures = run_(calls, seconds);
    auto why = figures.generator.was_bottleneck ? "the generator was the bottleneck: " + figures.generator.why
                                                : why_not_carried(figures, options_.p99_ms);
    if (on_probe_) on_probe_(figures, why);
    found_.report.runs.push_back(std::move(figures));
    return why;
  }

  void double_up() {
    auto calls = std::clamp(options_.first, 1, options_.limit);
    while (carries(calls, options_.probe_s)) {
      if (calls == options_.limit) {
        found_.ended_by = MaxCalls::EndedBy::limit;
        found_.why = fmt::format("{} is the limit of the search", options_.limit);
        return;
      }
      calls = std::min(calls * 2, options_.limit);
    }
  }

  /// At least one call, so that a precision of 2 % ends at small numbers.
  int step(int calls) const { return std::max(1, static_cast<int>(std::lround(calls * options_.precision))); }

  void narrow_down() {
    while (too_many_ - carried_ > step(carried_)) carries(carried_ + (too_many_ - carried_) / 2, options_.probe_s);
  }

  void confirm() {
    // The steps grow, or a target that only holds for a probe's time would cost a hundred full runs.
    int down = step(carried_);
    for (auto calls = carried_; calls > 0; calls -= down, down *= 2) {
      if (!carries(calls, options_.full_s)) continue;
      found_.calls = calls;
      return;
    }
  }

  RunCalls const& run_;
  MaxCallsOptions const& options_;
  OnProbe const& on_probe_;
  MaxCalls found_;
  int carried_ = 0;
  int too_many_;
};

}  // namespace

std::string why_not_carried(Figures const& figures, double p99_ms) {
  if (figures.calls.failed > 0) return fmt::format("{} calls failed", figures.calls.failed);
  if (figures.calls.refused > 0) return fmt::format("{} calls refused", figures.calls.refused);
  if (figures.calls.most_at_once < figures.settings.calls)
    return fmt::format("only {} of {} calls stood at once", figures.calls.most_at_once, figures.settings.calls);
  if (auto why = wrong_with("caller to agent", figures.to_agent, p99_ms); !why.empty()) return why;
  return wrong_with("agent to caller", figures.to_caller, p99_ms);
}

MaxCalls find_max_calls(RunCalls const& run, MaxCallsOptions const& options, OnProbe const& on_probe) {
  return Search{run, options, on_probe}.find();
}

}  // namespace sim::load
