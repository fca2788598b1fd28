#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>

#include "crm/desk/desk.h"
#include "crm/pg/pool.h"
#include "gateway/base/task_group.h"
#include "gateway/call/calls.h"
#include "gateway/call/loop_watch.h"
#include "gateway/call/metronome.h"
#include "gateway/net/http_server.h"
#include "gateway/twilio/media_door.h"

namespace gateway {

/// One media core: a thread, its event loop, its listener, its small database pool and the calls that live on it. Built
/// on the main thread before start(); from then on everything but post() belongs to its own thread.
class Core {
 public:
  /// `max_lag`: how late the loop may be before it refuses new calls.
  Core(std::size_t index, crm::pg::PoolSettings database, base::Metrics& metrics, std::chrono::milliseconds max_lag,
       base::Log const& log);
  ~Core();

  std::size_t index() const { return index_; }
  asio::any_io_executor executor() { return context_.get_executor(); }
  base::TimeSource& time() { return time_; }
  Metronome& metronome() { return metronome_; }
  LoopWatch const& loop_watch() const { return loop_watch_; }
  crm::pg::Pool& database() { return database_; }
  base::TaskGroup& tasks() { return tasks_; }

  /// Set once by the process before start().
  std::unique_ptr<crm::Desk> desk;
  std::unique_ptr<Calls> calls;
  std::unique_ptr<twilio::MediaDoor> media_door;
  std::unique_ptr<net::HttpServer> server;

  void start();
  /// Ends calls, then connections, then the loop; joins the thread. `grace` is for the calls.
  void drain_calls(base::TimeSource::Clock::duration grace);
  void hurry();
  void stop();

 private:
  std::size_t index_;
  base::Log log_;
  asio::io_context context_{1};
  base::SystemTime time_;
  base::TaskGroup tasks_;
  Metronome metronome_;
  LoopWatch loop_watch_;
  crm::pg::Pool database_;
  std::thread thread_;
};

}  // namespace gateway
