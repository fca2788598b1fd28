#include "loadtest/chaos/command.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "gateway/base/ids.h"
#include "loadtest/chaos/run.h"

namespace sim::chaos {
namespace {

struct Arguments {
  RunSettings run;
  std::string faults;
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

int run_chaos(Arguments const& arguments) {
  auto settings = arguments.run;
  if (!arguments.faults.empty()) {
    auto const faults = parse_faults(arguments.faults);
    if (!faults) {
      std::cerr << "chaos: " << faults.error().detail << '\n';
      return 2;
    }
    settings.plan.faults = *faults;
  }
  settings.patience = std::chrono::seconds{arguments.patience_s};
  Quit const quit;
  std::cout << "seed " << settings.plan.seed << '\n' << table_head() << std::flush;
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
  run.plan.seed = some_seed();
  command->add_option("--switchboard", run.switchboard, "The switchboard program")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--calls", run.plan.calls, "Calls in each cycle")
      ->capture_default_str()
      ->check(CLI::Range(1, 500));
  command->add_option("--cycles", run.plan.cycles, "How often")->capture_default_str()->check(CLI::Range(1, 100'000));
  command->add_option("--seed", run.plan.seed, "Of calls and faults; the same gives the same; default: a new one");
  command->add_option("--faults", arguments->faults,
                      "Only these: kill,pg_stop,pg_pause,journal_full,target,agent; default: all");
  command->add_option("--patience", arguments->patience_s, "Seconds in which a cycle must come to rest")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  command->add_option("--data", run.data, "New folder for the gateway's data and log; default: a temporary one");
  command->add_option("--history", run.history, "Write what was seen from outside, a JSON object a line");
  command->add_option("--json", arguments->json, "Write the report for programs");
  command->callback([arguments, &exit_code] {
    try {
      exit_code = run_chaos(*arguments);
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
