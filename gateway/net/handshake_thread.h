#pragma once
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "gateway/base/async.h"

namespace net {

/// A thread for the arithmetic of TLS handshakes. A signature takes from 0.1 ms (P-256) to 5 ms (RSA 4096), and every
/// call on a media core would hear that as jitter; here it is heard by nobody, and a flood of handshakes queues here.
/// Of lower priority than the media cores. Thread safe.
class HandshakeThread {
 public:
  HandshakeThread();
  /// Finishes what is under way.
  ~HandshakeThread();
  HandshakeThread(HandshakeThread const&) = delete;
  HandshakeThread& operator=(HandshakeThread const&) = delete;

  /// Runs `work`, which must not block, and resumes in the loop of the awaiting coroutine. That loop must live until
  /// then, and nothing cancels: the wait is as long as the work of all who came before.
  base::Async<> run(std::function<void()> work);

 private:
  asio::thread_pool thread_{1};
};

}  // namespace net
