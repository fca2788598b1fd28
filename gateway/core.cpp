#include "gateway/core.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

namespace gateway {
namespace {

/// Whoever waits for a core's database has a caller on the telephone who hears nothing meanwhile.
crm::pg::PoolSettings for_callers(crm::pg::PoolSettings settings) {
  settings.patience = std::chrono::seconds{1};
  return settings;
}

}  // namespace

Core::Core(std::size_t index, crm::pg::PoolSettings database, base::Metrics& metrics, std::chrono::milliseconds max_lag,
           base::Log const& log)
    : index_{index},
      log_{log.with({{"core", index}})},
      tasks_{context_.get_executor(),
             [this](std::string const& what) { log_.error("core task crashed", {{"error", what}}); }},
      metronome_{context_.get_executor(), time_},
      loop_watch_{time_, metrics, index, max_lag},
      database_{for_callers(std::move(database)), time_} {}

Core::~Core() {
  assert(!thread_.joinable());
  // Their timers belong to the loop, which goes with the other members before these would.
  server.reset();
  media_door.reset();
  calls.reset();
}

void Core::start() {
  tasks_.spawn(metronome_.run());
  tasks_.spawn(loop_watch_.run());
  tasks_.spawn(server->serve());
  thread_ = std::thread{[this] {
    auto const work = asio::make_work_guard(context_);
    context_.run();
  }};
}

void Core::drain_calls(base::TimeSource::Clock::duration grace) {
  asio::co_spawn(context_, calls->drain(grace), asio::use_future).get();
}

void Core::hurry() {
  asio::post(context_, [this] { calls->hurry(); });
}

void Core::stop() {
  if (!thread_.joinable()) return;
  auto const wind_up = [this]() -> base::Async<> {
    server->stop();
    co_await server->drain(std::chrono::milliseconds{500});
    co_await tasks_.drain(time_, std::chrono::milliseconds{0});
    database_.close();
  };
  asio::co_spawn(context_, wind_up(), asio::use_future).get();
  context_.stop();
  thread_.join();
}

}  // namespace gateway
