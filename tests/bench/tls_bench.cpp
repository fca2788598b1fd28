// What a TLS handshake costs the core that its connection belongs to. "core_us" is processor time of the core's thread
// for one handshake, "turn_p99_us" that of the longest turn of its loop in 99 of 100: by so much a 20 ms frame can be
// late.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <thread>
#include <vector>

#include "gateway/net/handshake_thread.h"
#include "gateway/net/stream.h"
#include "gateway/net/tls.h"
#include "tests/support/authority.h"

namespace {

using Tcp = asio::ip::tcp;

double thread_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Runs the loop until `done`; the longest turn so far.
void turn_until(asio::io_context& core, bool const& done, double& longest) {
  core.restart();
  while (!done) {
    auto const began = thread_us();
    if (core.run_one() == 0) core.restart();
    longest = std::max(longest, thread_us() - began);
  }
}

enum class Role { server, client };

/// The core is `role`; a thread beside it plays the other.
void handshakes(benchmark::State& state, Role role, bool rsa, bool beside) {
  test::Authority const authority;
  auto const files = authority.issue("server", {.rsa = rsa});
  net::TlsServer const server{files.chain, files.key};
  net::TlsClient const client{authority.file()};
  net::HandshakeThread thread;
  asio::io_context core{1};
  Tcp::acceptor acceptor{core, {asio::ip::address_v4::loopback(), 0}};
  std::vector<double> turns;
  double spent = 0;
  for (auto _ : state) {
    Tcp::socket far{core};
    far.connect(acceptor.local_endpoint());
    net::Stream stream{acceptor.accept()};
    auto theirs = role == Role::server ? *client.make("localhost") : *server.make();
    auto ours = role == Role::server ? *server.make() : *client.make("localhost");
    net::attach(*theirs, far.native_handle());
    std::thread peer{[&] { (void)SSL_do_handshake(theirs.get()); }};
    bool done = false;
    auto const began = thread_us();
    auto const shake = [&]() -> base::Async<> {
      auto const shaken = co_await stream.handshake(std::move(ours), beside ? &thread : nullptr);
      if (!shaken) state.SkipWithError(shaken.error().detail.c_str());
    };
    asio::co_spawn(core, shake(), [&](std::exception_ptr) { done = true; });
    double longest = 0;
    turn_until(core, done, longest);
    turns.push_back(longest);
    spent += thread_us() - began;
    peer.join();
  }
  state.counters["core_us"] = benchmark::Counter{spent, benchmark::Counter::kAvgIterations};
  std::ranges::sort(turns);
  state.counters["turn_p99_us"] = turns[turns.size() * 99 / 100];
}

BENCHMARK_CAPTURE(handshakes, server_ecdsa_on_the_core, Role::server, false, false)->Iterations(2000)->UseRealTime();
BENCHMARK_CAPTURE(handshakes, server_ecdsa_beside, Role::server, false, true)->Iterations(2000)->UseRealTime();
BENCHMARK_CAPTURE(handshakes, server_rsa_on_the_core, Role::server, true, false)->Iterations(1000)->UseRealTime();
BENCHMARK_CAPTURE(handshakes, server_rsa_beside, Role::server, true, true)->Iterations(1000)->UseRealTime();
BENCHMARK_CAPTURE(handshakes, client_ecdsa_on_the_core, Role::client, false, false)->Iterations(2000)->UseRealTime();
BENCHMARK_CAPTURE(handshakes, client_ecdsa_beside, Role::client, false, true)->Iterations(2000)->UseRealTime();

}  // namespace
