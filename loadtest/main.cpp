#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "loadtest/chaos/command.h"
#include "loadtest/demo/command.h"
#include "loadtest/load/command.h"
#include "loadtest/load/compare.h"
#include "loadtest/load/ratios.h"
#include "loadtest/sim/crm/command.h"
#include "loadtest/sim/crm/hubspot_command.h"
#include "loadtest/sim/elevenlabs/command.h"
#include "loadtest/sim/twilio/command.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Simulators of Switchboard: the telephone carrier and the agent platform as real servers on loopback"};
  app.require_subcommand(1);
  int exit_code = 0;
  sim::twilio::add_twilio_command(app, exit_code);
  sim::twilio::add_call_command(app, exit_code);
  sim::elevenlabs::add_elevenlabs_command(app, exit_code);
  sim::crm::add_crm_command(app, exit_code);
  sim::crm::add_hubspot_command(app, exit_code);
  sim::demo::add_demo_command(app, exit_code);
  sim::chaos::add_chaos_command(app, exit_code);
  sim::load::add_load_command(app, exit_code);
  sim::load::add_compare_command(app, exit_code);
  sim::load::add_ratios_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const shown = app.exit(error);
    return shown == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
