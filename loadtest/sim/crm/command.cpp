#include "loadtest/sim/crm/command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "loadtest/sim/crm/crm_sim.h"
#include "loadtest/sim/foreground.h"

namespace sim::crm {
namespace {

struct Arguments {
  std::uint16_t port = 4030;
  std::string secret;
};

int run(Arguments const& arguments) {
  base::SystemTime time;
  asio::io_context io{1};
  CrmSim sim{io.get_executor(), time, {arguments.secret, base::Log::to_stderr(base::LogLevel::warning)}};
  sim.listen(arguments.port);
  serve_in_foreground(io, sim, "ready " + sim.base_url());
  return 0;
}

}  // namespace

void add_crm_command(CLI::App& app, int& exit_code) {
  auto const arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(
      "crm", "Simulated receivers of what calls lead to: a strict webhook endpoint (POST /webhook, GET /received)");
  command->add_option("--port", arguments->port, "Port on 127.0.0.1; 0 takes a free one")->capture_default_str();
  command->add_option("--secret", arguments->secret, "Signing secret of the webhook, whsec_…; without it there is none")
      ->envname("SIM_WEBHOOK_SECRET");
  command->callback([arguments, &exit_code] { exit_code = exit_code_of([&] { return run(*arguments); }); });
}

}  // namespace sim::crm
