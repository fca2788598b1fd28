#include "loadtest/load/command.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "loadtest/load/figures_json.h"
#include "loadtest/load/html.h"
#include "loadtest/load/max_calls.h"
#include "loadtest/load/options.h"
#include "loadtest/load/table.h"
#include "loadtest/sim/twilio/sim_file.h"

namespace sim::load {
namespace {

using twilio::duration_of;

struct Arguments {
  Options options;
  std::string ramp = "50/s";
  std::string window = "60s";
  std::string settle = "2s";
  std::string scenario = "talk";
  std::string auth_token_file;
  std::string label;
  std::string json;
  std::string html;
  bool max_calls = false;
  std::string probe = "15s";
  MaxCallsOptions search;
};

/// "50/s" or "50".
double rate_of(std::string const& text) {
  char* end = nullptr;
  double const rate = std::strtod(text.c_str(), &end);
  std::string const unit = end;
  bool const fits = end != text.c_str() && (unit.empty() || unit == "/s") && rate > 0 && rate <= 100'000;
  if (!fits) throw WrongUsage{"not a rate: " + text + " (example: 50/s)"};
  return rate;
}

Options complete(Arguments const& arguments) {
  auto options = arguments.options;
  if (options.target.empty() == options.switchboard.empty())
    throw WrongUsage{"name a running gateway with --target, or a program to start with --switchboard"};
  auto const scenario = scenario_from(arguments.scenario);
  if (!scenario) throw WrongUsage{"--scenario is one of talk, turns, barge_in, hangup_storm, slow_agent, churn"};
  options.scenario = *scenario;
  options.ramp = rate_of(arguments.ramp);
  options.window = duration_of(arguments.window);
  options.settle = duration_of(arguments.settle);
  if (options.calls == 0) throw WrongUsage{"--calls must be at least 1"};
  if (options.window < std::chrono::seconds{1}) throw WrongUsage{"--for must be at least 1s"};
  twilio::SimFile account;
  twilio::complete(account, options.account_sid, arguments.auth_token_file);
  options.account_sid = account.account_sid;
  options.auth_token = account.auth_token.reveal();
  return options;
}

struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error{"interrupted"} {}
};

/// While it lives, Ctrl-C and SIGTERM wait until asked for: a gateway started here has to be stopped with us.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&quit_);
    sigaddset(&quit_, SIGINT);
    sigaddset(&quit_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &quit_, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(HeldSignals const&) = delete;
  HeldSignals& operator=(HeldSignals const&) = delete;

  void throw_if_any() const {
    timespec const at_once{};
    if (sigtimedwait(&quit_, nullptr, &at_once) <= 0) return;
    std::cerr << "\nStopping; a gateway started here is given its time to end." << std::endl;
    throw Interrupted{};
  }

 private:
  sigset_t quit_{};
  sigset_t before_{};
};

/// Runs on a terminal are watched; in a log a line every ten seconds is enough.
class Watcher {
 public:
  Progress progress(std::size_t calls) {
    return [this, calls](Stage const& stage) {
      signals_.throw_if_any();
      auto const line = progress_line(stage, calls);
      if (terminal_)
        std::cerr << "\r\x1b[K" << line << std::flush;
      else if (stage.seconds >= next_)
        std::cerr << line << std::endl;
      if (stage.seconds >= next_) next_ = stage.seconds + 10;
    };
  }
  void run_is_over() {
    if (terminal_) std::cerr << "\r\x1b[K" << std::flush;
    next_ = 0;
  }

 private:
  HeldSignals signals_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  double next_ = 0;
};

Figures run_once(Options const& options, std::string const& label, Watcher& watcher) {
  auto figures = run(options, watcher.progress(options.calls));
  watcher.run_is_over();
  if (!label.empty()) figures.settings.label = label;
  return figures;
}

void save(std::string const& path, std::string const& text) {
  if (path.empty()) return;
  std::ofstream out{path, std::ios::binary};
  out << text;
  if (!out.flush()) throw std::runtime_error{"cannot write " + path};
}

bool went_well(Figures const& figures) {
  bool const no_limit_but_loss = why_not_carried(figures, HUGE_VAL).empty();
  return no_limit_but_loss && !figures.generator.was_bottleneck;
}

Report search(Arguments const& arguments, Options options, Watcher& watcher) {
  auto limits = arguments.search;
  limits.probe_s = std::chrono::duration<double>{duration_of(arguments.probe)}.count();
  limits.full_s = std::chrono::duration<double>{options.window}.count();
  auto const one = [&](int calls, double seconds) {
    options.calls = static_cast<std::size_t>(calls);
    options.window = std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
    return run_once(options, arguments.label, watcher);
  };
  auto const tell = [](Figures const& figures, std::string const& why_not) {
    std::cerr << figures.settings.calls << " calls: " << (why_not.empty() ? "carried" : why_not) << std::endl;
  };
  auto found = find_max_calls(one, limits, tell);
  std::cout << "The search ended because: " << found.why << "\n";
  if (found.ended_by == MaxCalls::EndedBy::generator)
    std::cout << "The generator gave up first: the target carries at least this many.\n";
  return std::move(found.report);
}

int run_load(Arguments const& arguments) {
  auto const options = complete(arguments);
  Watcher watcher;
  Report report;
  if (arguments.max_calls)
    report = search(arguments, options, watcher);
  else
    report.runs.push_back(run_once(options, arguments.label, watcher));
  save(arguments.json, to_json(report));
  save(arguments.html, html(report));
  if (arguments.max_calls) {
    std::cout << overview(report);
    return *report.max_calls > 0 ? 0 : 1;
  }
  std::cout << table(report.runs.back());
  return went_well(report.runs.back()) ? 0 : 1;
}

void add_options(CLI::App& command, Arguments& a) {
  auto& o = a.options;
  command.add_option("--target", o.target, "Base URL of a running gateway");
  command.add_option("--switchboard", o.switchboard, "Instead of --target: the program, started and stopped here");
  command.add_option("--calls", o.calls, "Calls at once")->capture_default_str()->check(CLI::Range(1, 100'000));
  command.add_option("--ramp", a.ramp, "New calls per second")->capture_default_str();
  command.add_option("--for", a.window, "Measured time, after the ramp")->capture_default_str();
  command.add_option("--settle", a.settle, "Between the ramp and what is measured")->capture_default_str();
  command.add_option("--scenario", a.scenario, "talk, turns, barge_in, hangup_storm, slow_agent or churn")
      ->capture_default_str();
  command.add_flag("--tls", o.tls, "TLS on both legs");
  command.add_flag("--pcm", o.pcm, "The agent speaks and hears pcm_16000");
  command.add_flag("--recording", o.recording, "A gateway started here records every call");
  command.add_option("--pid", o.pid, "Process of a running gateway, for its CPU and memory");
  command.add_option("--pin", o.pin, "CPU of this program");
  command.add_option("--pin-gateway", o.pin_gateway, "CPU of a gateway started here");
  command.add_option("--account-sid", o.account_sid, "AC…; also TWILIO_ACCOUNT_SID");
  command.add_option("--auth-token-file", a.auth_token_file, "File with the auth token; also TWILIO_AUTH_TOKEN");
  command.add_option("--number", o.number, "The number that is dialled")->capture_default_str();
  command.add_option("--port", o.port, "Where agents and Twilio's REST are simulated; 0 takes a free one")
      ->capture_default_str();
  command.add_option("--health", o.health_url, "Operations URL of a running gateway");
  command.add_option("--data", o.data, "Data directory of a gateway started here; default: a temporary one");
  command.add_option("--label", a.label, "What the target is called in reports");
  command.add_option("--json", a.json, "Write the report for programs and `compare`");
  command.add_option("--html", a.html, "Write the report as one page");
}

void add_search_options(CLI::App& command, Arguments& a) {
  auto& s = a.search;
  command.add_flag("--max-calls", a.max_calls, "Search the largest number of calls with nothing lost");
  command.add_option("--p99", s.p99_ms, "With --max-calls: most ms in each direction")->capture_default_str();
  command.add_option("--first", s.first, "With --max-calls: where it begins")->capture_default_str();
  command.add_option("--limit", s.limit, "With --max-calls: never more than this")->capture_default_str();
  command.add_option("--probe", a.probe, "With --max-calls: measured time of a probe")->capture_default_str();
}

}  // namespace

void add_load_command(CLI::App& app, int& exit_code) {
  auto* const command = app.add_subcommand("load", "Put simulated calls on a gateway and measure what it does to them");
  auto const arguments = std::make_shared<Arguments>();
  add_options(*command, *arguments);
  add_search_options(*command, *arguments);
  command->callback([arguments, &exit_code] {
    try {
      exit_code = run_load(*arguments);
    } catch (WrongUsage const& wrong) {
      std::cerr << "load: " << wrong.what() << '\n';
      exit_code = 2;
    } catch (std::exception const& error) {
      std::cerr << "load: " << error.what() << '\n';
      exit_code = 1;
    }
  });
}

}  // namespace sim::load
