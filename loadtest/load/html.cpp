#include "loadtest/load/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "loadtest/load/chart.h"
#include "loadtest/load/readings.h"

namespace sim::load {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --faint: #d9dce1; --bad: #b3261e; --soft: #f3f4f6;
  --c0: #1f6feb; --c1: #d9622b; --c2: #1a7f4b; --c3: #8250df; --c4: #946c00; --c5: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e6e8eb; --faint: #383c44; --bad: #ff8a80;
  --soft: #20242a; --c0: #6cb0ff; --c1: #ff9b66; --c2: #5fd18f; --c3: #c4a1ff; --c4: #e0b84c; --c5: #9aa4af; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 760px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: .2rem .5rem; border-bottom: 1px solid var(--faint); text-align: right; font-weight: normal; }
th { background: var(--soft); } td:first-child, th:first-child { text-align: left; }
.bad { color: var(--bad); font-weight: 600; } .wide { overflow-x: auto; }
svg { width: 100%; height: auto; margin: .8rem 0; } svg text { fill: var(--ink); font-size: 12px; }
svg .title { font-size: 13px; font-weight: 600; } .grid { stroke: var(--faint); fill: none; }
.line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 5 4; }
.line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
.line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); }
.dot.c0 { fill: var(--c0); } .dot.c1 { fill: var(--c1); } .dot.c2 { fill: var(--c2); }
.dot.c3 { fill: var(--c3); } .dot.c4 { fill: var(--c4); } .dot.c5 { fill: var(--c5); }
)";

/// "http://127.0.0.1:3000" -> "127.0.0.1:3000": the page refers to nothing outside, not even in words.
std::string without_scheme(std::string const& url) {
  auto const scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

std::string cell(std::string_view text, bool bad = false) {
  return fmt::format("<td{}>{}</td>", bad ? " class=\"bad\"" : "", escaped(text));
}

std::string ms(double value) {
  return fmt::format("{:.2f}", value);
}

// Percentiles are drawn over the number of nines, so that the last thousandth has as much room as the first nine
// tenths.
double nines(double share) {
  return -std::log10(1 - share);
}

std::vector<Tick> nines_ticks() {
  return {{0, "0 %"}, {1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}};
}

Curve percentiles(std::string name, Distribution const& times, bool dashed = false) {
  constexpr double last_nine = 4;
  Curve curve{std::move(name), {}, dashed};
  std::int64_t total = 0;
  for (auto const& bar : times.histogram) total += bar.count;
  std::int64_t below = 0;
  for (auto const& bar : times.histogram) {
    if (bar.count <= 0) continue;
    auto const x = nines(static_cast<double>(below) / static_cast<double>(total));
    if (x > last_nine) break;
    curve.points.push_back({x, bar.up_to_ms});
    below += bar.count;
  }
  if (!curve.points.empty()) curve.points.push_back({last_nine, curve.points.back().y});
  return curve;
}

template <class Value>
Curve over_time(std::string name, Figures const& run, Value value, bool dashed = false) {
  Curve curve{std::move(name), {}, dashed};
  for (auto const& moment : run.moments) curve.points.push_back({moment.at_s, static_cast<double>(value(moment))});
  return curve;
}

std::string charts(Figures const& run) {
  auto const& to_agent = run.to_agent.latency;
  auto const& to_caller = run.to_caller.latency;
  std::string out;
  out += svg({"Added latency by percentile",
              "share of frames",
              "ms",
              {percentiles("caller to agent", to_agent.corrected), percentiles("agent to caller", to_caller.corrected),
               percentiles("to agent, not corrected", to_agent.uncorrected, true),
               percentiles("to caller, not corrected", to_caller.uncorrected, true)},
              nines_ticks()});
  out += svg({"Pacing error and the generator's own lateness by percentile",
              "share of frames",
              "ms",
              {percentiles("pacing error", run.pacing.error), percentiles("generator", run.generator.lateness, true)},
              nines_ticks()});
  if (run.interruptions.sent > 0)
    out += svg({"Interruption to clear by percentile",
                "share of interruptions",
                "ms",
                {percentiles("until clear", run.interruptions.until_clear)},
                nines_ticks()});
  if (run.moments.empty()) return out;
  out += svg({"CPU over time",
              "s",
              "cores",
              {over_time("target", run, [](Moment const& m) { return m.cpu; }),
               over_time(
                   "generator", run, [](Moment const& m) { return m.generator_cpu; }, true)},
              {}});
  out += svg({"Memory of the target over time",
              "s",
              "MiB",
              {over_time("resident", run, [](Moment const& m) { return m.rss_kib / 1024; })},
              {}});
  out += svg({"Calls over time", "s", "calls", {over_time("calls", run, [](Moment const& m) { return m.calls; })}, {}});
  out += svg({"p99 of each second",
              "s",
              "ms",
              {over_time("caller to agent", run, [](Moment const& m) { return m.to_agent_p99_ms; }),
               over_time("agent to caller", run, [](Moment const& m) { return m.to_caller_p99_ms; })},
              {}});
  return out;
}

std::string figures_table(Figures const& run) {
  std::string out = "<table><tr><th>figure</th><th>value</th></tr>\n";
  for (auto const& reading : readings()) {
    auto const value = reading.of(run);
    if (!value) continue;
    bool const bad = reading.better == Better::zero && *value != 0;
    out += "<tr>" + cell(reading.title()) + cell(with_unit(*value, reading.unit), bad) + "</tr>\n";
  }
  return out + "</table>\n";
}

std::string settings_words(RunSettings const& settings) {
  auto out = fmt::format("{}, {} calls", settings.scenario, with_commas(settings.calls));
  if (settings.tls) out += ", TLS";
  if (settings.pcm) out += ", pcm_16000";
  if (settings.recording) out += ", recording";
  for (auto const& other : settings.other) out += ", " + other;
  return out;
}

std::string run_section(Figures const& run) {
  auto const& settings = run.settings;
  std::string out = "<h2>" + escaped(settings.label + ": " + settings_words(settings)) + "</h2>\n";
  out += "<p>" +
         escaped(fmt::format("{:.0f} s against {}, {}", run.measured_s, without_scheme(settings.target),
                             run.machine.date)) +
         "</p>\n";
  if (run.generator.was_bottleneck)
    out += "<p class=\"bad\">" +
           escaped("These figures say nothing about the target, because the generator was the bottleneck: " +
                   run.generator.why) +
           "</p>\n";
  for (auto const& problem : run.problems) out += "<p class=\"bad\">" + escaped(problem) + "</p>\n";
  return out + charts(run) + figures_table(run);
}

std::string runs_table(Report const& report) {
  std::string out = "<div class=\"wide\"><table><tr><th>target</th><th>calls</th><th>us/frame</th><th>KiB/call</th>";
  out += "<th>p99 to agent</th><th>p99 to caller</th><th>lost</th><th>failed</th></tr>\n";
  for (auto const& run : report.runs) {
    auto const lost = run.to_agent.frames.lost + run.to_caller.frames.lost;
    auto const& use = run.target;
    out += "<tr>" + cell(run.settings.label) + cell(with_commas(run.settings.calls)) +
           cell(use.process ? ms(use.process->per_caller_frame_us) : "?") +
           cell(use.per_call_kib ? fmt::format("{:.1f}", *use.per_call_kib) : "?") +
           cell(ms(run.to_agent.latency.corrected.p99_ms)) + cell(ms(run.to_caller.latency.corrected.p99_ms)) +
           cell(with_commas(lost), lost != 0) + cell(with_commas(run.calls.failed), run.calls.failed != 0) + "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string calls_chart(Report const& report) {
  std::map<std::string, std::vector<Point>> to_agent;
  std::map<std::string, std::vector<Point>> to_caller;
  for (auto const& run : report.runs) {
    if (run.generator.was_bottleneck) continue;
    auto const calls = static_cast<double>(run.settings.calls);
    to_agent[run.settings.label].push_back({calls, run.to_agent.latency.corrected.p99_ms});
    to_caller[run.settings.label].push_back({calls, run.to_caller.latency.corrected.p99_ms});
  }
  Chart chart{"Calls against p99", "calls", "ms", {}, {}, /*y_is_logarithmic=*/true};
  for (auto& [label, points] : to_agent) chart.curves.push_back({label + ", to agent", std::move(points), false, true});
  for (auto& [label, points] : to_caller)
    chart.curves.push_back({label + ", to caller", std::move(points), false, true});
  return svg(chart);
}

/// The last run of each label: of a search that is the confirming one.
std::vector<Figures const*> shown_in_detail(Report const& report) {
  std::vector<Figures const*> last;
  for (auto const& run : report.runs) {
    std::erase_if(last, [&](Figures const* other) { return other->settings.label == run.settings.label; });
    last.push_back(&run);
  }
  return last;
}

}  // namespace

std::string html(Report const& report) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>Load test</title><style>";
  out += style;
  out += "</style></head><body>\n<h1>Load test</h1>\n";
  if (!report.runs.empty()) {
    auto const& machine = report.runs.back().machine;
    out +=
        "<p>" + escaped(fmt::format("{}, {} cores, {}", machine.cpu_model, machine.cores, machine.kernel)) + "</p>\n";
  }
  if (report.max_calls)
    out += "<p>" +
           escaped(fmt::format("Most calls with p99 within the limit and nothing lost: {}",
                               with_commas(*report.max_calls))) +
           "</p>\n";
  if (report.runs.size() > 1) out += calls_chart(report) + runs_table(report);
  for (auto const* run : shown_in_detail(report)) out += run_section(*run);
  return out + "</body></html>\n";
}

}  // namespace sim::load
