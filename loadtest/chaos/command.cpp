#include "loadtest/chaos/command.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "gateway/base/ids.h"
#include "loadtest/chaos/run.h"
#include "loadtest/sim/twilio/sim_file.h"

namespace sim::chaos {
namespace {

using twilio::duration_of;

struct Arguments {
  RunSettings run;
  PlanSettings plan;
  std::string faults;
  std::string steady;
  std::string outage;
  std::string outcome_p99 = "1s";
  std::string told_p95 = "10s";
  std::string json;
  int patience_s = 120;
};

std::uint64_t some_seed() {
  std::array<std::uint8_t, 4> raw{};
  base::fill_random(raw);
  return static_cast<std::uint64_t>(raw[0]) << 24U | static_cast<std::uint64_t>(raw[1]) << 16U |
         static_cast<std::uint64_t>(raw[2]) << 8U | raw[3];
}

void save(std::string const& path, std::string const& text) {
  if (path.empty()) return;
  std::ofstream out{path, std::ios::binary};
  out << text;
  if (!out.flush()) throw std::runtime_error{"cannot write " + path};
}

milliseconds span_of(std::string const& text) {
  auto const span = duration_of(text);
  if (span < std::chrono::seconds{2}) throw WrongUsage{"less than 2 s shows nothing: " + text};
  return span;
}

RunSettings settings_from(Arguments const& arguments) {
  auto settings = arguments.run;
  auto plan = arguments.plan;
  settings.seed = plan.seed;
  settings.patience = std::chrono::seconds{arguments.patience_s};
  settings.limits.outcome_p99 = duration_of(arguments.outcome_p99);
  settings.limits.told_p95 = duration_of(arguments.told_p95);
  if (!arguments.steady.empty()) {
    settings.limits.calls_at_once = static_cast<std::int64_t>(plan.calls * 9 / 10);
    settings.plan = {steady_plan(plan.seed, plan.calls, span_of(arguments.steady))};
    return settings;
  }
  if (!arguments.outage.empty()) {
    settings.limits.calls_at_once = static_cast<std::int64_t>(plan.calls);
    settings.plan = {outage_plan(plan.seed, plan.calls, span_of(arguments.outage))};
    return settings;
  }
  if (!arguments.faults.empty()) {
    auto const faults = parse_faults(arguments.faults);
    if (!faults) throw WrongUsage{faults.error().detail};
    plan.faults = *faults;
  }
  settings.plan = make_plan(plan);
  return settings;
}

int run_chaos(Arguments const& arguments) {
  auto const settings = settings_from(arguments);
  Quit const quit;
  std::cout << "seed " << settings.seed << '\n' << table_head() << std::flush;
  auto const show = [](CycleReport const& cycle) { std::cout << table_row(cycle) << std::flush; };
  auto const notice = [](std::string const& text) { std::cerr << "chaos: " << text << std::endl; };
  auto const report = run(settings, quit, show, notice);
  save(arguments.json, to_json(report));
  std::cout << summary(report);
  return report.clean() ? 0 : 1;
}

}  // namespace

void add_chaos_command(CLI::App& app, int& exit_code) {
  auto* const command = app.add_subcommand(
      "chaos", "Kill a gateway under calls again and again, and prove that nothing is lost or doubled");
  auto const arguments = std::make_shared<Arguments>();
  auto& run = arguments->run;
  auto& plan = arguments->plan;
  plan.seed = some_seed();
  command->add_option("--switchboard", run.switchboard, "The switchboard program")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--calls", plan.calls, "Calls in each cycle, or at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 500));
  auto* const cycles = command->add_option("--cycles", plan.cycles, "How often");
  cycles->capture_default_str()->check(CLI::Range(1, 100'000));
  command->add_option("--seed", plan.seed, "Of calls and faults; the same gives the same; default: a new one");
  auto* const faults = command->add_option(
      "--faults", arguments->faults,
      "Only these: kill,pg_stop,pg_pause,pg_away,journal_full,target,agent; default: all but pg_away");
  auto* const steady = command->add_option(
      "--steady", arguments->steady, "Instead of cycles: --calls at any time for so long, and nothing breaks; 60s");
  steady->excludes(cycles)->excludes(faults);
  command
      ->add_option("--outage", arguments->outage,
                   "Instead of cycles: --calls end while PostgreSQL is away for so long; 60s")
      ->excludes(cycles)
      ->excludes(faults)
      ->excludes(steady);
  command
      ->add_option("--outcome-p99", arguments->outcome_p99,
                   "Undisturbed: most time from hang-up until the outcome is visible, in 99 of 100 calls")
      ->capture_default_str();
  command
      ->add_option("--told-p95", arguments->told_p95,
                   "Undisturbed: most time until who is told has taken it, in 95 of 100 cases")
      ->capture_default_str();
  command->add_option("--patience", arguments->patience_s, "Seconds in which a cycle must come to rest")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  command->add_option("--data", run.data, "New folder for the gateway's data and log; default: a temporary one");
  command->add_option("--history", run.history, "Write what was seen from outside, a JSON object a line");
  command->add_option("--json", arguments->json, "Write the report for programs");
  command->callback([arguments, &exit_code] {
    try {
      exit_code = run_chaos(*arguments);
    } catch (WrongUsage const& wrong) {
      std::cerr << "chaos: " << wrong.what() << '\n';
      exit_code = 2;
    } catch (Interrupted const&) {
      std::cerr << "chaos: interrupted\n";
      exit_code = 130;
    } catch (std::exception const& error) {
      std::cerr << "chaos: " << error.what() << '\n';
      exit_code = 1;
    }
  });
}

}  // namespace sim::chaos
