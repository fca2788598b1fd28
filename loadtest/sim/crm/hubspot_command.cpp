#include "loadtest/sim/crm/hubspot_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "loadtest/sim/crm/hubspot_weather.h"
#include "loadtest/sim/foreground.h"

namespace sim::crm {
namespace {

struct Arguments {
  std::uint16_t port = 0;
  std::vector<std::string> tokens;
  std::int64_t index_lag_ms = 0;
  HubSpotWeather weather;
  bool no_leads = false;
  bool no_unique_engagements = false;
  bool quiet = false;
};

int run(Arguments const& arguments) {
  HubSpotSim::Options options;
  options.has_leads = !arguments.no_leads;
  if (!arguments.tokens.empty()) options.tokens.clear();
  for (auto const& token : arguments.tokens) options.tokens[token] = {HubSpotSim::all_scopes(), {}};
  base::SystemTime time;
  asio::io_context io{1};
  HubSpotSim sim{io.get_executor(), time, std::move(options)};
  sim.store().index_lag = std::chrono::milliseconds{arguments.index_lag_ms};
  sim.store().unique_beyond_contacts = !arguments.no_unique_engagements;
  if (arguments.weather.percent > 0) sim.on_request = make_weather(arguments.weather);
  if (!arguments.quiet)
    sim.on_answer = [](HubSpotSim::Seen const& seen) {
      std::cout << seen.status << " " << seen.method << " " << seen.target.substr(0, seen.target.find('?'))
                << std::endl;
    };
  sim.listen(arguments.port);
  serve_in_foreground(io, sim, "ready " + sim.base_url());
  return 0;
}

}  // namespace

void add_hubspot_command(CLI::App& app, int& exit_code) {
  auto const arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("hubspot", "Fake HubSpot account: contacts, calls, meetings, notes and leads");
  command->add_option("--port", arguments->port, "Port on 127.0.0.1; 0 takes a free one");
  command->add_option("--token", arguments->tokens, "Accepted token; without it pat-na1-sim");
  command->add_option("--index-lag-ms", arguments->index_lag_ms, "How long search does not see a new record");
  command->add_option("--faults", arguments->weather.percent, "Percent of requests that go wrong")
      ->check(CLI::Range(0, 95));
  command->add_option("--seed", arguments->weather.seed, "Of the faults");
  command->add_flag("--no-leads", arguments->no_leads, "An edition without leads");
  command->add_flag("--no-unique-engagements", arguments->no_unique_engagements, "Unique properties for contacts only");
  command->add_flag("--quiet", arguments->quiet, "Print no requests");
  command->callback([arguments, &exit_code] { exit_code = exit_code_of([&] { return run(*arguments); }); });
}

}  // namespace sim::crm
