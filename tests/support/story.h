#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>

#include "gateway/base/async.h"

namespace test {

/// Runs one coroutine on `context` until it has ended. A story that still waits at the deadline fails the test; an
/// exception that leaves it is thrown here.
inline bool play(asio::io_context& context, std::function<base::Async<>()> story,
                 std::chrono::seconds deadline = std::chrono::seconds{20}) {
  bool ended = false;
  std::exception_ptr crash;
  asio::co_spawn(context, story(), [&](std::exception_ptr error) {
    ended = true;
    crash = error;
  });
  auto const limit = std::chrono::steady_clock::now() + deadline;
  context.restart();
  while (!ended && context.run_one_until(limit) > 0) {
  }
  EXPECT_TRUE(ended) << "the story still waits";
  if (crash) std::rethrow_exception(crash);
  return ended;
}

/// Runs what is ready, without waiting.
inline void settle(asio::io_context& context) {
  context.restart();
  context.poll();
}

}  // namespace test
