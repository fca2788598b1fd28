#include "loadtest/load/readings.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace sim::load {
namespace {

using Value = std::optional<double>;

// Noise of a shared machine between two runs of one program: the scheduler's slice shows in latencies, the allocator's
// arenas in memory. A regression worth stopping for is larger.
constexpr double latency_grain_ms = 0.1;
constexpr double tail_grain_ms = 0.5;
constexpr double set_up_grain_ms = 2;
constexpr double cpu_grain_us = 0.5;
constexpr double memory_grain_kib = 1;
constexpr double process_memory_grain_kib = 1024;
constexpr double late_grain_ppm = 20;
constexpr double underrun_grain = 5;
constexpr double descriptor_grain = 8;  // pools may open a connection during the run and keep it

template <class T>
Value maybe(std::optional<T> const& value) {
  return value ? Value{static_cast<double>(*value)} : std::nullopt;
}

Value only_if(bool known, double value) {
  return known ? Value{value} : std::nullopt;
}

Value of(Distribution const& spread, double Distribution::* percentile) {
  return only_if(spread.count > 0, spread.*percentile);
}

Value count(std::int64_t value) {
  return static_cast<double>(value);
}

Value late_ppm(FrameCounts const& frames) {
  if (frames.sent == 0) return std::nullopt;
  return 1e6 * static_cast<double>(frames.late) / static_cast<double>(frames.sent);
}

template <class T>
Value growth(std::optional<T> const& before, std::optional<T> const& after) {
  if (!before || !after) return std::nullopt;
  return static_cast<double>(*after - *before);
}

using enum Better;
using F = Figures const&;
constexpr auto p50 = &Distribution::p50_ms;
constexpr auto p90 = &Distribution::p90_ms;
constexpr auto p99 = &Distribution::p99_ms;
constexpr auto p999 = &Distribution::p999_ms;
constexpr auto longest = &Distribution::max_ms;

constexpr std::array all{
    Reading{"calls", "asked", "", neither, 0, [](F f) { return count(f.calls.asked); }},
    Reading{"calls", "answered", "", neither, 0, [](F f) { return count(f.calls.answered); }},
    Reading{"calls", "at once", "", neither, 0, [](F f) { return count(f.calls.most_at_once); }},
    Reading{"calls", "refused", "", neither, 0, [](F f) { return count(f.calls.refused); }},
    Reading{"calls", "failed", "", zero, 0, [](F f) { return count(f.calls.failed); }},

    Reading{"caller to agent", "sent", "", neither, 0, [](F f) { return count(f.to_agent.frames.sent); }},
    Reading{"caller to agent", "lost", "", zero, 0, [](F f) { return count(f.to_agent.frames.lost); }},
    Reading{"caller to agent", "swapped", "", zero, 0, [](F f) { return count(f.to_agent.frames.swapped); }},
    Reading{"caller to agent", "duplicated", "", zero, 0, [](F f) { return count(f.to_agent.frames.duplicated); }},
    Reading{"caller to agent", "crossed", "", zero, 0, [](F f) { return count(f.to_agent.frames.crossed); }},
    Reading{"caller to agent", "damaged", "", zero, 0, [](F f) { return count(f.to_agent.frames.damaged); }},
    Reading{"caller to agent", "late", "ppm", lower, late_grain_ppm, [](F f) { return late_ppm(f.to_agent.frames); }},
    Reading{"caller to agent", "p50", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_agent.latency.corrected, p50); }},
    Reading{"caller to agent", "p90", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_agent.latency.corrected, p90); }},
    Reading{"caller to agent", "p99", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_agent.latency.corrected, p99); }},
    Reading{"caller to agent", "p99.9", "ms", lower, tail_grain_ms,
            [](F f) { return of(f.to_agent.latency.corrected, p999); }},
    Reading{"caller to agent", "max", "ms", neither, 0, [](F f) { return of(f.to_agent.latency.corrected, longest); }},

    Reading{"agent to caller", "sent", "", neither, 0, [](F f) { return count(f.to_caller.frames.sent); }},
    Reading{"agent to caller", "lost", "", zero, 0, [](F f) { return count(f.to_caller.frames.lost); }},
    Reading{"agent to caller", "swapped", "", zero, 0, [](F f) { return count(f.to_caller.frames.swapped); }},
    Reading{"agent to caller", "duplicated", "", zero, 0, [](F f) { return count(f.to_caller.frames.duplicated); }},
    Reading{"agent to caller", "crossed", "", zero, 0, [](F f) { return count(f.to_caller.frames.crossed); }},
    Reading{"agent to caller", "damaged", "", zero, 0, [](F f) { return count(f.to_caller.frames.damaged); }},
    Reading{"agent to caller", "late", "ppm", lower, late_grain_ppm, [](F f) { return late_ppm(f.to_caller.frames); }},
    Reading{"agent to caller", "p50", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_caller.latency.corrected, p50); }},
    Reading{"agent to caller", "p90", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_caller.latency.corrected, p90); }},
    Reading{"agent to caller", "p99", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.to_caller.latency.corrected, p99); }},
    Reading{"agent to caller", "p99.9", "ms", lower, tail_grain_ms,
            [](F f) { return of(f.to_caller.latency.corrected, p999); }},
    Reading{"agent to caller", "max", "ms", neither, 0, [](F f) { return of(f.to_caller.latency.corrected, longest); }},

    Reading{"pacing", "error p99", "ms", lower, latency_grain_ms, [](F f) { return of(f.pacing.error, p99); }},
    Reading{"pacing", "error p99.9", "ms", lower, tail_grain_ms, [](F f) { return of(f.pacing.error, p999); }},
    Reading{"pacing", "underruns", "", lower, underrun_grain, [](F f) { return count(f.pacing.underruns); }},

    Reading{"interruption", "until clear p50", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.interruptions.until_clear, p50); }},
    Reading{"interruption", "until clear p99", "ms", lower, latency_grain_ms,
            [](F f) { return of(f.interruptions.until_clear, p99); }},
    Reading{"interruption", "without clear", "", zero, 0, [](F f) { return count(f.interruptions.without_clear); }},
    Reading{"interruption", "more than one clear", "", zero, 0,
            [](F f) { return count(f.interruptions.more_than_one_clear); }},
    Reading{"interruption", "stale frames", "", zero, 0, [](F f) { return count(f.interruptions.stale_frames); }},

    Reading{"set-up", "webhook p99", "ms", lower, set_up_grain_ms,
            [](F f) { return of(f.set_up.webhook_answered, p99); }},
    Reading{"set-up", "stream accepted p99", "ms", lower, set_up_grain_ms,
            [](F f) { return of(f.set_up.stream_accepted, p99); }},
    Reading{"set-up", "agent joined p99", "ms", lower, set_up_grain_ms,
            [](F f) { return of(f.set_up.agent_joined, p99); }},
    Reading{"set-up", "first audio p99", "ms", lower, set_up_grain_ms,
            [](F f) { return of(f.set_up.first_audio, p99); }},
    Reading{"set-up", "early frames lost", "", zero, 0, [](F f) { return count(f.set_up.early_frames_lost); }},

    Reading{"cpu", "per caller frame", "us", lower, cpu_grain_us,
            [](F f) { return f.target.process ? Value{f.target.process->per_caller_frame_us} : std::nullopt; }},
    Reading{
        "cpu", "of media threads per caller frame", "us", lower, cpu_grain_us,
        [](F f) { return f.target.media_threads ? Value{f.target.media_threads->per_caller_frame_us} : std::nullopt; }},
    Reading{"memory", "per call", "KiB", lower, memory_grain_kib, [](F f) { return maybe(f.target.per_call_kib); }},
    Reading{"memory", "kept after the last call", "KiB", lower, process_memory_grain_kib,
            [](F f) { return growth(f.target.rss_before_kib, f.target.rss_end_kib); }},
    Reading{"memory", "descriptors kept", "", lower, descriptor_grain,
            [](F f) { return growth(f.target.descriptors_before, f.target.descriptors_end); }},

    Reading{"outcomes", "written", "", neither, 0, [](F f) { return maybe(f.outcomes_written); }},
    Reading{"outcomes", "missing", "", zero, 0,
            [](F f) {
              return only_if(f.outcomes_written.has_value(),
                             static_cast<double>(f.calls.answered - f.outcomes_written.value_or(0)));
            }},
    Reading{"outcomes", "wrong", "", zero, 0, [](F f) { return maybe(f.outcomes_wrong); }},

    Reading{"generator", "lateness p99", "ms", neither, 0, [](F f) { return of(f.generator.lateness, p99); }},
    Reading{"generator", "load", "cores", neither, 0, [](F f) { return Value{f.generator.cpu.load}; }},
};

}  // namespace

std::span<Reading const> readings() {
  return all;
}

std::string with_commas(std::int64_t value) {
  auto digits = std::to_string(value < 0 ? -value : value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return (value < 0 ? "-" : "") + digits;
}

std::string with_unit(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "?";
  auto const size = std::abs(value);
  bool const whole = unit.empty() || size >= 1000;
  // Beyond this a double is no count any more, and the cast below would be undefined.
  if (size > 9e15) return fmt::format("{:.3g}{}{}", value, unit.empty() ? "" : " ", unit);
  auto const number = whole       ? with_commas(std::llround(value))
                      : size < 10 ? fmt::format("{:.2f}", value)
                                  : fmt::format("{:.1f}", value);
  return unit.empty() ? number : number + " " + std::string{unit};
}

}  // namespace sim::load
