#include "loadtest/load/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <memory>

#include "loadtest/load/figures_json.h"
#include "loadtest/load/readings.h"

namespace sim::load {
namespace {

bool is_bad(Verdict verdict) {
  return verdict == Verdict::worse || verdict == Verdict::not_zero || verdict == Verdict::vanished;
}

/// Why the runs did not measure the same thing; empty when they did.
std::string difference(RunSettings const& a, RunSettings const& b, bool calls_may_differ) {
  if (a.scenario != b.scenario) return "scenario " + a.scenario + " against " + b.scenario;
  if (!calls_may_differ && a.calls != b.calls) return fmt::format("{} calls against {}", a.calls, b.calls);
  if (a.ramp_per_s != b.ramp_per_s) return fmt::format("ramp {}/s against {}/s", a.ramp_per_s, b.ramp_per_s);
  if (a.seconds != b.seconds) return fmt::format("{} s against {} s", a.seconds, b.seconds);
  auto const flag = [](char const* name, bool before, bool after) {
    return before == after ? std::string{} : fmt::format("{} {} against {}", name, before, after);
  };
  if (auto tls = flag("tls", a.tls, b.tls); !tls.empty()) return tls;
  if (auto pcm = flag("pcm", a.pcm, b.pcm); !pcm.empty()) return pcm;
  if (auto recording = flag("recording", a.recording, b.recording); !recording.empty()) return recording;
  if (a.other != b.other) return "different options";
  return {};
}

Verdict judge(Better better, double grain, std::optional<double> before, std::optional<double> after,
              double tolerance) {
  if (better == Better::neither || (!before && !after)) return Verdict::same;
  if (!after) return Verdict::vanished;
  if (better == Better::zero && *after != 0) return Verdict::not_zero;
  if (!before) return Verdict::appeared;
  auto const gain = better == Better::higher ? *after - *before : *before - *after;
  if (std::abs(gain) <= std::max(grain, tolerance * std::abs(*before))) return Verdict::same;
  return gain > 0 ? Verdict::better : Verdict::worse;
}

void add_remarks(Comparison& out, Figures const& before, Figures const& after) {
  auto const& a = before.machine;
  auto const& b = after.machine;
  if (a.cpu_model != b.cpu_model || a.cores != b.cores)
    out.remarks.push_back(fmt::format("different machines: {}, {} cores against {}, {} cores", a.cpu_model, a.cores,
                                      b.cpu_model, b.cores));
  if (before.settings.label != after.settings.label)
    out.remarks.push_back(before.settings.label + " against " + after.settings.label);
}

std::string shown(std::optional<double> const& value, std::string const& unit) {
  return value ? with_unit(*value, unit) : "not measured";
}

std::string change(ComparedReading const& reading) {
  if (!reading.before || !reading.after || *reading.before == 0) return "";
  return fmt::format("{:+.1f} %", 100 * (*reading.after - *reading.before) / std::abs(*reading.before));
}

std::string_view words(Verdict verdict) {
  switch (verdict) {
    case Verdict::same:
      return "same";
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "WORSE";
    case Verdict::not_zero:
      return "NOT ZERO";
    case Verdict::vanished:
      return "NOT MEASURED ANY MORE";
    case Verdict::appeared:
      return "new";
  }
  return "";
}

void add_line(std::string& out, ComparedReading const& reading) {
  out += fmt::format("{:<46}{:>14}{:>14}{:>12}  {}\n", reading.title, shown(reading.before, reading.unit),
                     shown(reading.after, reading.unit), change(reading), words(reading.verdict));
}

struct Arguments {
  std::string before;
  std::string after;
  std::string tolerance = "10%";
};

int run_compare(Arguments const& arguments) {
  auto const refuse = [](base::Error const& error) {
    std::cerr << "compare: " << error.detail << '\n';
    return 2;
  };
  auto const tolerance = parse_tolerance(arguments.tolerance);
  if (!tolerance) return refuse(tolerance.error());
  auto const before = load_report(arguments.before);
  if (!before) return refuse(before.error());
  auto const after = load_report(arguments.after);
  if (!after) return refuse(after.error());
  auto const comparison = compare(*before, *after, *tolerance);
  if (!comparison) return refuse(comparison.error());
  std::cout << to_text(*comparison);
  return comparison->has_regression() ? 1 : 0;
}

}  // namespace

bool Comparison::has_regression() const {
  return std::ranges::any_of(readings, is_bad, &ComparedReading::verdict);
}

base::Result<Comparison> compare(Report const& before, Report const& after, double tolerance) {
  using base::Fault;
  if (before.runs.empty() || after.runs.empty()) return base::fail(Fault::conflict, "a report holds no run");
  bool const searches = before.max_calls && after.max_calls;
  if (before.max_calls.has_value() != after.max_calls.has_value())
    return base::fail(Fault::conflict, "one report is a search for the most calls, the other is not");
  auto const& a = before.runs.back();
  auto const& b = after.runs.back();
  if (auto const why = difference(a.settings, b.settings, searches); !why.empty())
    return base::fail(Fault::conflict, "these runs did not measure the same thing: " + why);
  if (a.generator.was_bottleneck || b.generator.was_bottleneck)
    return base::fail(Fault::conflict, "the generator was the bottleneck in " +
                                           std::string{a.generator.was_bottleneck ? "the first" : "the second"} +
                                           " run, so its figures say nothing about the target");
  Comparison out;
  add_remarks(out, a, b);
  if (searches) {
    auto const most_before = static_cast<double>(*before.max_calls);
    auto const most_after = static_cast<double>(*after.max_calls);
    out.readings.push_back(
        {"most calls", "", most_before, most_after, judge(Better::higher, 0, most_before, most_after, tolerance)});
  }
  for (auto const& reading : readings()) {
    // Latency at 1,300 calls against latency at 1,500 is no comparison; nothing lost is required of both.
    auto const better = searches && reading.better == Better::lower ? Better::neither : reading.better;
    auto const was = reading.of(a);
    auto const is = reading.of(b);
    if (!was && !is) continue;
    out.readings.push_back(
        {reading.title(), std::string{reading.unit}, was, is, judge(better, reading.grain, was, is, tolerance)});
  }
  return out;
}

std::string to_text(Comparison const& comparison) {
  std::string out;
  for (auto const& remark : comparison.remarks) out += "Mind: " + remark + "\n";
  out += fmt::format("{:<46}{:>14}{:>14}{:>12}\n", "figure", "before", "after", "change");
  for (auto const& reading : comparison.readings)
    if (is_bad(reading.verdict)) add_line(out, reading);
  for (auto const& reading : comparison.readings)
    if (reading.verdict == Verdict::better || reading.verdict == Verdict::appeared) add_line(out, reading);
  auto const same = std::ranges::count(comparison.readings, Verdict::same, &ComparedReading::verdict);
  out += fmt::format("{} figures stayed as they were.\n", same);
  out += comparison.has_regression() ? "There are regressions.\n" : "No regression.\n";
  return out;
}

base::Result<double> parse_tolerance(std::string_view text) {
  bool const percent = text.ends_with('%');
  auto digits = percent ? text.substr(0, text.size() - 1) : text;
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  double value = -1;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  auto const share = percent ? value / 100 : value;
  bool const fits = error == std::errc{} && end == digits.data() + digits.size() && share >= 0 && share <= 10;
  if (!fits) return base::fail(base::Fault::protocol, "the tolerance is a share such as 10% or 0.1");
  return share;
}

void add_compare_command(CLI::App& app, int& exit_code) {
  auto* const command = app.add_subcommand("compare", "Compare two load reports; exit 1 when a figure got worse");
  auto const arguments = std::make_shared<Arguments>();
  command->add_option("before", arguments->before, "JSON report of switchboard-sim load")->required();
  command->add_option("after", arguments->after, "The report to judge by it")->required();
  command->add_option("--tolerance", arguments->tolerance, "Differences that count as none")->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run_compare(*arguments); });
}

}  // namespace sim::load
