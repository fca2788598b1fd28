#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/async.h"
#include "gateway/net/poller.h"
#include "gateway/net/websocket_frame.h"

namespace net {

/// What the connections of one event loop share: a poller that hangs in the Asio loop as a single descriptor, one
/// buffer that every read goes into, the buffers of writes under way, one timer for all their limits. A quiet
/// connection then owns next to nothing, and a busy one costs a receive and a send a message. Lives on the loop's
/// thread.
class SocketLoop final : public asio::execution_context::service {
 public:
  using Clock = std::chrono::steady_clock;
  using Instant = Clock::time_point;
  using key_type = SocketLoop;
  static asio::execution_context::id id;

  class Connection : public Poller::Listener {
   public:
    /// Writes what is queued.
    virtual void flush() = 0;
    /// The time asked for with wake_at() has come.
    virtual void on_due(Instant now) = 0;

   protected:
    ~Connection() = default;

   private:
    friend SocketLoop;
    bool is_waiting_to_flush_ = false;
    std::optional<Instant> due_;
  };

  /// For asio::use_service only; see of().
  explicit SocketLoop(asio::execution_context& context);
  ~SocketLoop() override = default;
  /// The one of an io_context's executor, made at the first use.
  static SocketLoop& of(asio::any_io_executor const& executor);

  bool add(int socket, Connection& connection);
  void remove(int socket, Connection& connection);
  /// Nothing of this loop points to it any more. For destructors of connections that were never added, too.
  void forget(Connection& connection);

  /// flush() comes at the end of the turn, so that all a connection sends in it leaves in one write.
  void flush_soon(Connection& connection);
  /// One wish a connection; a later call replaces it, nothing takes it back.
  void wake_at(Connection& connection, std::optional<Instant> when);
  /// on_ready() comes again soon although the kernel will not say so: for a connection that let others go first.
  void read_again(Connection& connection);

  /// The time; read once for all that happens in one turn.
  Instant now() const { return in_turn_ ? now_ : Clock::now(); }
  /// Where reads go; its content lasts until the next read of any connection.
  std::span<char> read_buffer() { return read_buffer_; }
  std::string take_write_buffer();
  void give_back(std::string buffer);
  /// Unpredictable, as RFC 6455, 10.3 asks.
  websocket::MaskKey mask_key();

 private:
  void shutdown() override;
  void watch();
  void rest(std::size_t found);
  std::size_t turn();
  void flush_waiting();
  Clock::duration pause() const;
  void arm();
  void wake_due();

  asio::io_context& context_;
  Poller poller_;
  std::optional<asio::posix::stream_descriptor> descriptor_;
  std::optional<asio::steady_timer> timer_;
  std::optional<asio::steady_timer> rest_;
  std::vector<char> read_buffer_;
  std::vector<std::string> spare_buffers_;
  std::vector<Connection*> waiting_to_flush_;
  std::vector<Connection*> unread_;
  std::set<std::pair<Instant, Connection*>> due_;
  std::vector<std::uint8_t> random_;
  Instant armed_for_ = Instant::max();
  Instant now_ = Clock::now();
  std::size_t connections_ = 0;
  bool watching_ = false;
  bool resting_ = false;
  bool in_turn_ = false;
  bool flush_posted_ = false;
  bool read_posted_ = false;
};

}  // namespace net
