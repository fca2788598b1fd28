// The vendor's SDKs judge the simulator: tests/js/elevenlabs_acceptance.mjs under Node, in real time.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <thread>

#include "loadtest/sim/elevenlabs/sim.h"

namespace sim::elevenlabs {
namespace {

constexpr auto scenario_text = R"({
  "processing_ms": 100,
  "agents": [{
    "id": "agent_sdk", "auth": true, "output_format": "pcm_16000", "input_format": "pcm_16000",
    "overrides": ["conversation.text_only"], "required_variables": ["customer_name"],
    "first_message": "Hello {{customer_name}}, how can I help you?",
    "turns": [
      {"when": "message", "contains": "slot",
       "reply": [{"tool": "find_slots", "parameters": {"days": 7}}, {"say": "There is {{tool_result}}."}]},
      {"when": "message", "contains": "Goodbye", "reply": ["Goodbye!", {"end_call": true}]}
    ]
  }]
})";

/// Exit code of a program, its output left on ours; -1 when it could not be started.
int run_program(std::vector<std::string> const& words, std::vector<std::string> const& more_environment) {
  std::vector<char*> arguments;
  for (auto const& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (auto const& entry : more_environment) environment.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environment.data()) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

base::Async<> serve_until(ElevenLabsSim& sim, Bell& leave) {
  using namespace asio::experimental::awaitable_operators;
  co_await (sim.serve() || leave.wait());
  sim.stop();
  co_await sim.drain(std::chrono::seconds{0});
}

TEST(ElevenLabsSdk, holds_a_conversation_with_the_simulator) {
  if (!std::getenv("SWITCHBOARD_JS"))
    GTEST_SKIP() << "set SWITCHBOARD_JS=1 after `npm ci` in tests/js to let the official SDKs judge the simulator";
  auto scenario = parse_scenario(scenario_text);
  ASSERT_TRUE(scenario.has_value()) << scenario.error().detail;
  ElevenLabsSim::Options options;
  options.scenario = *std::move(scenario);
  base::SystemTime time;
  asio::io_context io{1};
  ElevenLabsSim sim{io.get_executor(), time, std::move(options)};
  sim.listen();
  Bell leave{io.get_executor()};
  asio::co_spawn(io, serve_until(sim, leave), [](std::exception_ptr) {});
  std::thread server{[&io] { io.run(); }};
  auto const result =
      run_program({"node", SOURCE_ROOT "/tests/js/elevenlabs_acceptance.mjs"}, {"SIM_URL=" + sim.base_url()});
  asio::post(io, [&leave] { leave.ring(); });
  server.join();
  EXPECT_EQ(result, 0);
  EXPECT_EQ(sim.conversations().size(), 2U);
  for (auto const& conversation : sim.conversations())
    EXPECT_EQ(conversation->violations(), 0U) << conversation->target << "\n" << conversation->explain();
}

}  // namespace
}  // namespace sim::elevenlabs
