// HubSpot's own client judges the fake: tests/js/hubspot_acceptance.mjs under Node, in real time.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <thread>

#include "loadtest/sim/crm/hubspot_sim.h"

namespace sim::crm {
namespace {

/// Exit code of a script whose output is ours; -1 when it could not be started.
int run_node(std::string script, std::string address) {
  std::string node = "node";
  std::vector<char*> arguments{node.data(), script.data(), nullptr};
  std::vector<char*> environment{address.data()};
  for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, "node", nullptr, nullptr, arguments.data(), environment.data()) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

base::Async<> end(HubSpotSim& sim) {
  sim.stop();
  co_await sim.drain(std::chrono::seconds{0});
}

TEST(HubSpotSdk, works_against_the_fake) {
  if (!std::getenv("SWITCHBOARD_JS"))
    GTEST_SKIP() << "set SWITCHBOARD_JS=1 after `npm ci` in tests/js to let HubSpot's client judge the fake";
  base::SystemTime time;
  asio::io_context io{1};
  HubSpotSim::Options options;
  options.tokens["expired"] = {HubSpotSim::all_scopes(), time.wall() - std::chrono::seconds{7}};
  options.tokens["reader"] = {{"crm.objects.contacts.read"}, {}};
  HubSpotSim sim{io.get_executor(), time, options};
  sim.fail({.status = 429, .path_contains = "/objects/notes", .times = -1});
  sim.listen();
  asio::co_spawn(io, sim.serve(), [](std::exception_ptr) {});
  std::thread server{[&io] { io.run(); }};
  auto const result = run_node(SOURCE_ROOT "/tests/js/hubspot_acceptance.mjs", "SIM_URL=" + sim.base_url());
  asio::post(io, [&] { asio::co_spawn(io, end(sim), [](std::exception_ptr) {}); });
  server.join();
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace sim::crm
