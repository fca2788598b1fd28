#include "loadtest/sim/crm/command.h"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "loadtest/sim/crm/crm_sim.h"

namespace sim::crm {
namespace {

struct Arguments {
  std::uint16_t port = 4030;
  std::string secret;
};

base::Async<> wait_for_signal(asio::signal_set& signals, CrmSim& sim) {
  (void)co_await signals.async_wait(base::quietly);
  sim.stop();
}

base::Async<> serve_until_signal(asio::signal_set& signals, CrmSim& sim) {
  using namespace asio::experimental::awaitable_operators;
  co_await (sim.serve() || wait_for_signal(signals, sim));
  co_await sim.drain(base::TimeSource::Clock::duration::zero());
}

int run(Arguments const& arguments) {
  base::SystemTime time;
  asio::io_context io{1};
  CrmSim sim{io.get_executor(), time, {arguments.secret, base::Log::to_stderr(base::LogLevel::warning)}};
  sim.listen(arguments.port);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  asio::co_spawn(io, serve_until_signal(signals, sim), [](std::exception_ptr crash) {
    if (crash) std::rethrow_exception(crash);
  });
  std::cout << "ready " << sim.base_url() << std::endl;
  io.run();
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
  command->callback([arguments, &exit_code] {
    try {
      exit_code = run(*arguments);
    } catch (std::exception const& error) {
      std::cerr << error.what() << "\n";
      exit_code = 1;
    }
  });
}

}  // namespace sim::crm
