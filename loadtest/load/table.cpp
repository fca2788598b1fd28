#include "loadtest/load/table.h"

#include <fmt/format.h>

#include "loadtest/load/readings.h"

namespace sim::load {
namespace {

std::string count(std::int64_t value) {
  return with_commas(value);
}

std::string ms(double value) {
  return fmt::format("{:.2f}", value);
}

std::string kib(std::optional<double> const& value) {
  if (!value) return "?";
  return *value < 10'240 ? with_unit(*value, "KiB") : with_unit(*value / 1024, "MiB");
}

void add_head(std::string& out, Figures const& figures) {
  auto const& settings = figures.settings;
  out += fmt::format("{}, {} calls for {:.0f} s{}{}{}, against {} ({})\n", settings.scenario, count(settings.calls),
                     figures.measured_s, settings.tls ? ", TLS" : "", settings.pcm ? ", pcm_16000" : "",
                     settings.recording ? ", recording" : "", settings.label, settings.target);
  for (auto const& other : settings.other) out += "  " + other + "\n";
  auto const& machine = figures.machine;
  out += fmt::format("{}, {} cores, {}, {}\n\n", machine.cpu_model, machine.cores, machine.kernel, machine.date);
}

void add_calls(std::string& out, CallCounts const& counts) {
  out += fmt::format("calls: {} asked, {} answered, {} at once, {} finished, {} refused, {} failed\n\n",
                     count(counts.asked), count(counts.answered), count(counts.most_at_once), count(counts.finished),
                     count(counts.refused), count(counts.failed));
}

void add_frames(std::string& out, std::string_view name, FrameCounts const& frames) {
  out += fmt::format("{:<20}{:>12}{:>12}{:>7}{:>7}{:>9}{:>12}{:>9}{:>9}\n", name, count(frames.sent),
                     count(frames.received), count(frames.lost), count(frames.late), count(frames.swapped),
                     count(frames.duplicated), count(frames.crossed), count(frames.damaged));
}

void add_times(std::string& out, std::string_view name, Distribution const& times) {
  if (times.count == 0) return;
  out += fmt::format("{:<32}{:>9}{:>9}{:>9}{:>9}{:>9}{:>14}\n", name, ms(times.p50_ms), ms(times.p90_ms),
                     ms(times.p99_ms), ms(times.p999_ms), ms(times.max_ms), count(times.count));
}

void add_all_times(std::string& out, Figures const& figures) {
  out += fmt::format("{:<32}{:>9}{:>9}{:>9}{:>9}{:>9}{:>14}\n", "ms", "p50", "p90", "p99", "p99.9", "max", "count");
  add_times(out, "added, caller to agent", figures.to_agent.latency.corrected);
  add_times(out, "  not corrected", figures.to_agent.latency.uncorrected);
  add_times(out, "added, agent to caller", figures.to_caller.latency.corrected);
  add_times(out, "  not corrected", figures.to_caller.latency.uncorrected);
  add_times(out, "pacing error", figures.pacing.error);
  add_times(out, "interruption to clear", figures.interruptions.until_clear);
  add_times(out, "webhook answered", figures.set_up.webhook_answered);
  add_times(out, "stream accepted", figures.set_up.stream_accepted);
  add_times(out, "agent joined", figures.set_up.agent_joined);
  add_times(out, "first audio", figures.set_up.first_audio);
  add_times(out, "generator's lateness, caller", figures.generator.lateness);
  add_times(out, "generator's lateness, agent", figures.generator.agent_lateness);
  out += "\n";
}

void add_line(std::string& out, std::string_view name, std::string const& words) {
  out += fmt::format("{:<20}{}\n", name, words);
}

std::string in_words(std::optional<Cpu> const& cpu) {
  if (!cpu) return "not measured";
  return fmt::format("{} per caller frame, {:.2f} of a core", with_unit(cpu->per_caller_frame_us, "us"), cpu->load);
}

void add_use(std::string& out, Figures const& figures) {
  auto const& target = figures.target;
  add_line(out, "cpu", in_words(target.process));
  if (target.media_threads) add_line(out, "  media threads", in_words(target.media_threads));
  if (target.rss_before_kib)
    add_line(out, "memory",
             fmt::format("{} per call; {} before, {} at full, {} at the end", kib(target.per_call_kib),
                         kib(target.rss_before_kib), kib(target.rss_full_kib), kib(target.rss_end_kib)));
  else
    add_line(out, "memory", "not measured");
  auto const& cut = figures.interruptions;
  if (cut.sent > 0)
    add_line(out, "interruptions",
             fmt::format("{} sent, {} clears, {} without, {} with more than one, {} stale frames", count(cut.sent),
                         count(cut.clears), count(cut.without_clear), count(cut.more_than_one_clear),
                         count(cut.stale_frames)));
  add_line(out, "before the agent",
           fmt::format("{} caller frames, {} of them lost", count(figures.set_up.early_frames_sent),
                       count(figures.set_up.early_frames_lost)));
  if (figures.pacing.error.count > 0)
    add_line(out, "playback",
             fmt::format("{} underruns, {} held ahead", count(figures.pacing.underruns),
                         with_unit(figures.pacing.lead_p50_ms, "ms")));
  add_line(out, "outcomes",
           figures.outcomes_written ? fmt::format("{} written, {} wrong", count(*figures.outcomes_written),
                                                  count(figures.outcomes_wrong.value_or(0)))
                                    : "not measured");
  add_line(out, "generator",
           fmt::format("{:.2f} of a core, {}", figures.generator.cpu.load, kib(figures.generator.rss_kib)));
}

}  // namespace

std::string table(Figures const& figures) {
  std::string out;
  add_head(out, figures);
  add_calls(out, figures.calls);
  out += fmt::format("{:<20}{:>12}{:>12}{:>7}{:>7}{:>9}{:>12}{:>9}{:>9}\n", "frames", "sent", "received", "lost",
                     "late", "swapped", "duplicated", "crossed", "damaged");
  add_frames(out, "caller to agent", figures.to_agent.frames);
  add_frames(out, "agent to caller", figures.to_caller.frames);
  out += "\n";
  add_all_times(out, figures);
  add_use(out, figures);
  for (auto const& problem : figures.problems) out += "problem: " + problem + "\n";
  if (figures.generator.was_bottleneck)
    out += "These figures say nothing about the target, because the generator was the bottleneck: " +
           figures.generator.why + "\n";
  return out;
}

std::string overview(Report const& report) {
  auto out = fmt::format("{:<20}{:>7}{:>11}{:>10}{:>13}{:>13}{:>7}{:>8}  {}\n", "target", "calls", "us/frame",
                         "KiB/call", "p99 to agent", "p99 to call.", "lost", "failed", "generator");
  for (auto const& run : report.runs) {
    auto const& use = run.target;
    auto const us = use.process ? fmt::format("{:.2f}", use.process->per_caller_frame_us) : "?";
    auto const memory = use.per_call_kib ? fmt::format("{:.1f}", *use.per_call_kib) : "?";
    auto const lost = run.to_agent.frames.lost + run.to_caller.frames.lost;
    out += fmt::format("{:<20}{:>7}{:>11}{:>10}{:>13}{:>13}{:>7}{:>8}  {}\n", run.settings.label, run.settings.calls,
                       us, memory, ms(run.to_agent.latency.corrected.p99_ms),
                       ms(run.to_caller.latency.corrected.p99_ms), count(lost), count(run.calls.failed),
                       run.generator.was_bottleneck ? "was the bottleneck" : "kept up");
  }
  if (report.max_calls)
    out += fmt::format("Most calls with p99 within the limit and nothing lost: {}\n", count(*report.max_calls));
  return out;
}

std::string progress_line(Stage const& stage, std::size_t calls_wanted) {
  return fmt::format(
      "{:<11}{:>5.0f} s {:>6} of {} calls, p99 {:>6} / {:>6} ms, lost {}, cpu {:.0f} %, generator {:.0f} %", stage.name,
      stage.seconds, stage.calls_up, calls_wanted, ms(stage.caller_to_agent_p99_ms), ms(stage.agent_to_caller_p99_ms),
      stage.frames_lost, stage.gateway_cpu_percent, stage.own_cpu_percent);
}

}  // namespace sim::load
