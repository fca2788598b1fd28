#include "gateway/net/handshake_thread.h"

#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace net {

HandshakeThread::HandshakeThread() {
  // Linux gives a nice value to each thread. Where it is not granted, we are merely no better than the others.
  asio::post(thread_, [] { (void)::setpriority(PRIO_PROCESS, 0, 10); });
}

HandshakeThread::~HandshakeThread() {
  thread_.join();
}

base::Async<> HandshakeThread::run(std::function<void()> work) {
  auto const here = asio::make_work_guard(co_await asio::this_coro::executor);
  auto const begin = [this, &work, &here]<class Resume>(Resume resume) {
    asio::post(thread_, [&work, here, resume = std::move(resume)]() mutable {
      work();
      asio::post(here.get_executor(), std::move(resume));
    });
  };
  co_await asio::async_initiate<decltype(asio::use_awaitable) const, void()>(begin, asio::use_awaitable);
}

}  // namespace net
