#include "loadtest/load/ratios.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "loadtest/load/figures_json.h"
#include "loadtest/load/html.h"
#include "loadtest/load/readings.h"

namespace sim::load {
namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  auto const middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string wrong_with(Figures const& run, Figures const& first) {
  auto const& settings = run.settings;
  if (run.generator.was_bottleneck) return "the generator was the bottleneck: " + run.generator.why;
  if (!run.target.process) return "the CPU of the target was not measured";
  if (run.to_agent.frames.received == 0) return "it carried nothing";
  bool const same = settings.scenario == first.settings.scenario && settings.tls == first.settings.tls &&
                    settings.pcm == first.settings.pcm && settings.recording == first.settings.recording;
  return same ? std::string{} : "it did not measure the same as the first run";
}

Standing standing_of(std::string const& label, std::vector<Figures const*> const& runs) {
  Standing out;
  out.label = label;
  out.runs = runs.size();
  out.calls = runs.back()->settings.calls;
  std::vector<double> us;
  std::vector<double> to_agent;
  std::vector<double> to_caller;
  std::vector<double> memory;
  for (auto const* run : runs) {
    us.push_back(run->target.process->per_caller_frame_us);
    to_agent.push_back(run->to_agent.latency.corrected.p99_ms);
    to_caller.push_back(run->to_caller.latency.corrected.p99_ms);
    if (run->target.per_call_kib) memory.push_back(*run->target.per_call_kib);
    out.lost += run->to_agent.frames.lost + run->to_caller.frames.lost;
    out.failed += run->calls.failed;
  }
  out.us_per_frame = median(us);
  out.least_us = std::ranges::min(us);
  out.most_us = std::ranges::max(us);
  out.to_agent_p99_ms = median(to_agent);
  out.to_caller_p99_ms = median(to_caller);
  if (!memory.empty()) out.per_call_kib = median(memory);
  return out;
}

struct Arguments {
  std::string floor = "floor";
  std::vector<std::string> files;
  std::string json;
  std::string html;
};

void save(std::string const& path, std::string const& text) {
  if (path.empty()) return;
  std::ofstream out{path, std::ios::binary};
  out << text;
  if (!out.flush()) throw std::runtime_error{"cannot write " + path};
}

int run_ratios(Arguments const& arguments) {
  Report all;
  for (auto const& file : arguments.files) {
    auto const report = load_report(file);
    if (!report) throw std::runtime_error{report.error().detail};
    all.runs.push_back(report->runs.back());
  }
  auto const found = standings(all, arguments.floor);
  if (!found) throw std::runtime_error{found.error().detail};
  std::cout << to_text(*found, arguments.floor);
  save(arguments.json, to_json(*found, arguments.floor));
  save(arguments.html, html(all));
  return 0;
}

}  // namespace

base::Result<std::vector<Standing>> standings(Report const& report, std::string const& floor) {
  std::vector<std::string> labels;
  for (auto const& run : report.runs) {
    auto const& label = run.settings.label;
    if (auto const wrong = wrong_with(run, report.runs.front()); !wrong.empty())
      return base::fail(base::Fault::conflict, "a run of " + label + " does not count: " + wrong);
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
  }
  std::vector<Standing> out;
  for (auto const& label : labels) {
    std::vector<Figures const*> runs;
    for (auto const& run : report.runs)
      if (run.settings.label == label) runs.push_back(&run);
    out.push_back(standing_of(label, runs));
  }
  auto const measure = std::ranges::find(out, floor, &Standing::label);
  if (measure == out.end()) return base::fail(base::Fault::not_found, "there is no run of " + floor);
  if (measure->us_per_frame <= 0) return base::fail(base::Fault::conflict, floor + " used no CPU at all");
  auto const one = measure->us_per_frame;
  for (auto& standing : out) standing.ratio = standing.us_per_frame / one;
  return out;
}

std::string to_text(std::vector<Standing> const& standings, std::string const& floor) {
  auto out = fmt::format("{:<16}{:>5}{:>7}{:>10}{:>17}{:>9}{:>10}{:>12}{:>13}{:>7}{:>8}\n", "program", "runs", "calls",
                         "us/frame", "lowest-highest", "/ " + floor, "KiB/call", "p99 to agt.", "p99 to call.", "lost",
                         "failed");
  for (auto const& s : standings)
    out += fmt::format("{:<16}{:>5}{:>7}{:>10.2f}{:>17}{:>9.2f}{:>10}{:>12.2f}{:>13.2f}{:>7}{:>8}\n", s.label, s.runs,
                       s.calls, s.us_per_frame, fmt::format("{:.2f}-{:.2f}", s.least_us, s.most_us), s.ratio,
                       s.per_call_kib ? fmt::format("{:.1f}", *s.per_call_kib) : "?", s.to_agent_p99_ms,
                       s.to_caller_p99_ms, s.lost, s.failed);
  for (auto const& s : standings)
    if (s.lost > 0 || s.failed > 0)
      out +=
          fmt::format("{} did not carry {} calls: work that it dropped is missing in its figures.\n", s.label, s.calls);
  return out;
}

std::string to_json(std::vector<Standing> const& standings, std::string const& floor) {
  auto programs = nlohmann::ordered_json::array();
  for (auto const& s : standings) {
    nlohmann::ordered_json program{{"label", s.label},
                                   {"runs", s.runs},
                                   {"calls", s.calls},
                                   {"us_per_caller_frame", s.us_per_frame},
                                   {"least_us", s.least_us},
                                   {"most_us", s.most_us},
                                   {"ratio", s.ratio},
                                   {"to_agent_p99_ms", s.to_agent_p99_ms},
                                   {"to_caller_p99_ms", s.to_caller_p99_ms},
                                   {"per_call_kib", nullptr},
                                   {"lost", s.lost},
                                   {"failed", s.failed}};
    if (s.per_call_kib) program["per_call_kib"] = *s.per_call_kib;
    programs.push_back(std::move(program));
  }
  nlohmann::ordered_json const all{
      {"format", "switchboard-ratios"}, {"version", 1}, {"floor", floor}, {"programs", programs}};
  return all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void add_ratios_command(CLI::App& app, int& exit_code) {
  auto* const command = app.add_subcommand("ratios", "Medians and ratios of several programs' load reports");
  auto const arguments = std::make_shared<Arguments>();
  command->add_option("files", arguments->files, "JSON reports of switchboard-sim load, told apart by their --label")
      ->required();
  command->add_option("--floor", arguments->floor, "The label that the others are divided by")->capture_default_str();
  command->add_option("--json", arguments->json, "Write the ratios for programs");
  command->add_option("--html", arguments->html, "Write all runs as one page");
  command->callback([arguments, &exit_code] {
    try {
      exit_code = run_ratios(*arguments);
    } catch (std::exception const& error) {
      std::cerr << "ratios: " << error.what() << '\n';
      exit_code = 1;
    }
  });
}

}  // namespace sim::load
