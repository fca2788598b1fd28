// The vendor's library judges the carrier: tests/js/twilio_acceptance.mjs under Node, in real time.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdlib>
#include <thread>

#include "tests/sim/twilio_scene.h"

namespace sim::twilio {
namespace {

using namespace twilio_scene;

/// Exit code of a program whose output is ours; -1 when it could not be started.
int run_node(std::string const& script, std::vector<std::string> const& more_environment) {
  std::string node = "node";
  std::string path = script;
  std::vector<char*> arguments{node.data(), path.data(), nullptr};
  std::vector<char*> environment;
  for (auto const& entry : more_environment) environment.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, "node", nullptr, nullptr, arguments.data(), environment.data()) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SimTwilioSdk, accepts_the_rest_twin_and_its_signatures) {
  if (!std::getenv("SWITCHBOARD_JS"))
    GTEST_SKIP() << "set SWITCHBOARD_JS=1 after `npm ci` in tests/js to let Twilio's library judge the simulator";
  TwilioSimSettings settings;
  settings.outbound.callee = {CalleeAnswer::answered, 50ms, 50ms};
  Scene scene{std::move(settings)};
  scene.carrier.rest().add_number("+15005550006");
  int exit_code = -1;
  scene.run([&]() -> base::Async<> {
    asio::steady_timer done{scene.io, Clock::time_point::max()};
    std::thread node{[&] {
      exit_code = run_node(
          SOURCE_ROOT "/tests/js/twilio_acceptance.mjs",
          {"SIM_URL=" + scene.carrier.base_url(), "SIM_ACCOUNT_SID=" + account_sid, "SIM_AUTH_TOKEN=" + auth_token});
      asio::post(scene.io, [&] { done.cancel(); });
    }};
    (void)co_await done.async_wait(base::quietly);
    node.join();
  });
  EXPECT_EQ(exit_code, 0);
}

}  // namespace
}  // namespace sim::twilio
