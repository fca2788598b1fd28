#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "loadtest/demo/child.h"
#include "loadtest/load/figures.h"
#include "loadtest/load/options.h"

namespace {

using std::chrono::milliseconds;

std::filesystem::path const program = std::filesystem::path{BINARY_ROOT} / "floor_relay";

/// The relay is told the agents' address when it starts, before they listen.
std::uint16_t free_port() {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw std::runtime_error{"no socket"};
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

TEST(FloorRelay, carries_calls_of_the_load_test_without_losing_a_frame) {
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "floor_relay is not built under sanitizers";
  sim::load::Options options;
  options.port = free_port();
  sim::demo::Child relay{{program.string(), "--agent", "http://127.0.0.1:" + std::to_string(options.port)},
                         {},
                         "/dev/null",
                         /*read_output=*/true};
  auto const ready = relay.read_line(std::chrono::seconds{10});
  ASSERT_TRUE(ready.starts_with("ready http://127.0.0.1:")) << ready;
  options.target = ready.substr(6);
  options.calls = 3;
  options.settle = milliseconds{200};
  options.window = milliseconds{1000};
  auto const figures = sim::load::run(options, {});
  EXPECT_EQ(figures.calls.answered, 3);
  EXPECT_EQ(figures.calls.failed, 0);
  for (auto const* direction : {&figures.to_agent, &figures.to_caller}) {
    EXPECT_GT(direction->frames.received, 3 * 50);
    EXPECT_EQ(direction->frames.lost, 0);
    EXPECT_EQ(direction->frames.swapped, 0);
    EXPECT_EQ(direction->frames.duplicated, 0);
    EXPECT_EQ(direction->frames.crossed, 0);
    EXPECT_EQ(direction->frames.damaged, 0);
  }
}

}  // namespace
