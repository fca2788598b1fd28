#include "gateway/net/handshake_thread.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>

#include "gateway/base/background.h"

namespace net {
namespace {

/// The coroutine's side: lives on its event loop and is touched there only.
struct Asker {
  explicit Asker(asio::any_io_executor e) : executor{e}, bell{e, asio::steady_timer::time_point::max()} {}
  asio::any_io_executor executor;
  asio::steady_timer bell;
  bool answered = false;
};

/// The thread's side. Whoever leaves empties `asker` under the lock, which is held while the work is done; from then on
/// the thread knows neither the work's connection nor its event loop.
class Errand {
 public:
  Errand(std::function<void()> work, std::shared_ptr<Asker> asker) : work_{std::move(work)}, asker_{std::move(asker)} {}

  void do_work() {
    std::scoped_lock const lock{mutex_};
    if (!asker_) return;
    work_();
    auto const executor = asker_->executor;
    asio::post(executor, [asker = std::move(asker_)] {
      asker->answered = true;
      asker->bell.cancel();
    });
  }
  void abandon() {
    std::scoped_lock const lock{mutex_};
    asker_.reset();
  }

 private:
  std::function<void()> work_;
  std::mutex mutex_;
  std::shared_ptr<Asker> asker_;
};

}  // namespace

HandshakeThread::HandshakeThread() {
  asio::post(thread_, base::stand_behind_media);
}

HandshakeThread::~HandshakeThread() {
  thread_.join();
}

base::Async<bool> HandshakeThread::run(std::function<void()> work) {
  auto const asker = std::make_shared<Asker>(co_await asio::this_coro::executor);
  auto const errand = std::make_shared<Errand>(std::move(work), asker);
  // Also when this frame is destroyed while it waits, together with its event loop.
  struct Leaving {
    std::shared_ptr<Errand> errand;
    ~Leaving() { errand->abandon(); }
  } const leaving{errand};
  asio::post(thread_, [errand] { errand->do_work(); });
  (void)co_await asker->bell.async_wait(base::quietly);
  co_return asker->answered;
}

}  // namespace net
