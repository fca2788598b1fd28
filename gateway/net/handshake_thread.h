#pragma once
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "gateway/base/async.h"

namespace net {

/// A thread for the arithmetic of TLS handshakes, which takes from 0.2 ms (P-256) to 5 ms (RSA 4096): every call on a
/// media core would hear that as jitter. Here nobody hears it, and a flood of handshakes queues here. Of lower priority
/// than the media cores. Thread safe.
class HandshakeThread {
 public:
  HandshakeThread();
  ~HandshakeThread();
  HandshakeThread(HandshakeThread const&) = delete;
  HandshakeThread& operator=(HandshakeThread const&) = delete;

  /// Runs `work`, which must not block, and resumes in the loop of the awaiting coroutine; false when that was
  /// cancelled first. `work` is not running any more when the coroutine goes on, or is destroyed with its loop.
  base::Async<bool> run(std::function<void()> work);

 private:
  asio::thread_pool thread_{1};
};

}  // namespace net
