#pragma once
#include <array>
#include <chrono>
#include <cstdint>

namespace net {

/// Tells which sockets can be read or written: a thin, edge-triggered epoll for connections that come in thousands.
/// One epoll_ctl for the life of a socket, one epoll_wait for many of them, no allocation and no queue in between.
/// Lives on one thread. Whoever is called must read until the socket is empty (a short read says so on a stream) and
/// may try to write until it refuses.
class Poller {
 public:
  /// As many as one poll() tells of, at most: those served first should not wait long for the end of the turn.
  static constexpr std::size_t batch = 64;

  class Listener {
   public:
    /// `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP and EPOLLERR as the kernel reports them.
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Listener() = default;
  };

  /// Throws std::system_error when the kernel has no descriptor left.
  Poller();
  ~Poller();
  Poller(Poller const&) = delete;
  Poller& operator=(Poller const&) = delete;

  /// Becomes readable when a socket is ready: it can be waited for in another loop.
  int descriptor() const { return epoll_; }
  /// What is ready already is reported by the next poll(). False when the kernel refuses.
  bool add(int socket, Listener& listener);
  /// No call comes after this, not even for what the current poll() has found. The socket must still be open.
  void remove(int socket, Listener& listener);
  /// Waits up to `timeout` (negative: for ever) and calls each ready socket's listener once. Returns how many.
  std::size_t poll(std::chrono::milliseconds timeout);

 private:
  struct Ready {
    std::uint32_t events;
    Listener* listener;
  };
  int epoll_;
  std::array<Ready, batch> ready_;
  std::size_t next_ = 0;  // in ready_, while poll() calls
  std::size_t found_ = 0;
};

}  // namespace net
