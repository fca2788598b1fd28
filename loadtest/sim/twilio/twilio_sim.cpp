#include "loadtest/sim/twilio/twilio_sim.h"

#include <fmt/format.h>

namespace sim::twilio {
namespace {

base::TaskGroup::OnCrash report_to(base::Log const& log) {
  return [log](std::string const& what) { log.error("simulated call crashed", {{"error", what}}); };
}

}  // namespace

TwilioSim::TwilioSim(asio::any_io_executor executor, base::Log log, TwilioSimSettings settings)
    : log_{std::move(log)},
      tls_{net::make_tls_client(settings.authority)},
      http_{settings.authority},
      exchange_{executor, std::move(settings.account), http_, *tls_, {}, {}},
      calls_{exchange_, settings.calls_per_second, report_to(log_)},
      rest_{exchange_, calls_, std::move(settings.outbound)},
      control_{calls_, rest_},
      server_{executor, time_, log_, metrics_, router_},
      stop_bell_{executor} {
  auto const rest = [this](net::Request request) { return rest_.answer(std::move(request)); };
  auto const control = [this](net::Request request) -> base::Async<net::Response> {
    co_return control_.answer(request);
  };
  for (auto const* method : {"GET", "POST", "DELETE"}) {
    router_.on(method, "/2010-04-01/*", rest);
    router_.on(method, "/sim/*", control);
  }
}

std::uint16_t TwilioSim::listen(std::string const& address, std::uint16_t port) {
  auto const bound = server_.listen(address, port);
  exchange_.rest_base = fmt::format("http://{}:{}", address, bound);
  return bound;
}

base::Async<> TwilioSim::serve() {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await ((server_.serve() && calls_.dial_queued()) || until_stopped());
}

base::Async<> TwilioSim::until_stopped() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (!stopped_ && state.cancelled() == asio::cancellation_type::none) {
    stop_bell_.expires_at(Clock::time_point::max());
    (void)co_await stop_bell_.async_wait(base::quietly);
  }
}

void TwilioSim::stop() {
  stopped_ = true;
  server_.stop();
  stop_bell_.cancel();
}

base::Async<> TwilioSim::drain(Clock::duration grace) {
  co_await calls_.drain(time_, grace);
  co_await server_.drain(grace);
}

base::Async<CallResult> TwilioSim::place_call(CallPlan plan, Listener listener) {
  return calls_.place(std::move(plan), std::move(listener));
}

}  // namespace sim::twilio
