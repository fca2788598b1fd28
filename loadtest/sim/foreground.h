#pragma once
// What the commands of the simulators have in common: they serve until they are interrupted, and say what went wrong in
// one line.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "gateway/base/async.h"
#include "gateway/base/time_source.h"

namespace sim {

/// The command line asks for something that makes no sense.
struct WrongUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What `run` returns; 2 when it throws WrongUsage and 1 for any other exception, whose words go to stderr.
int exit_code_of(std::function<int()> const& run);

template <class Sim>
base::Async<> stop_at_signal(asio::signal_set& signals, Sim& sim) {
  (void)co_await signals.async_wait(base::quietly);
  sim.stop();
}

template <class Sim>
base::Async<> serve_until_signal(asio::signal_set& signals, Sim& sim) {
  using namespace asio::experimental::awaitable_operators;
  co_await (sim.serve() || stop_at_signal(signals, sim));
  co_await sim.drain(base::TimeSource::Clock::duration::zero());
}

/// Serves on `io` until SIGINT or SIGTERM; `ready` goes to stdout when a signal would be heard. `sim` listens already.
template <class Sim>
void serve_in_foreground(asio::io_context& io, Sim& sim, std::string_view ready) {
  asio::signal_set signals{io, SIGINT, SIGTERM};
  asio::co_spawn(io, serve_until_signal(signals, sim), [](std::exception_ptr crash) {
    if (crash) std::rethrow_exception(crash);
  });
  std::cout << ready << std::endl;
  io.run();
}

}  // namespace sim
