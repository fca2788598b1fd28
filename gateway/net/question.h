#pragma once
// An answer that a thread gives to a coroutine which may have left meanwhile, together with its event loop.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>

#include "gateway/base/async.h"

namespace net {

/// The coroutine's side: lives on its event loop and is touched there only, except `answer`, which is filled before the
/// post. Whoever asks waits for `bell` and looks whether it is `answered`.
template <class T>
struct Asker {
  explicit Asker(asio::any_io_executor e) : executor{e}, bell{e, asio::steady_timer::time_point::max()} {}
  asio::any_io_executor executor;
  asio::steady_timer bell;
  bool answered = false;
  base::Result<T> answer = base::fail(base::Fault::cancelled, "abandoned");
};

/// The thread's side, and the door between the two: whoever leaves empties it under the lock, and from then on the
/// thread knows no event loop that could be gone.
template <class T>
class Question {
 public:
  explicit Question(std::shared_ptr<Asker<T>> asker) : asker_{std::move(asker)} {}

  bool is_abandoned() {
    std::scoped_lock const lock{mutex_};
    return !asker_;
  }
  void abandon() {
    std::scoped_lock const lock{mutex_};
    asker_.reset();
  }
  /// The first answer counts.
  void answer(base::Result<T> given) {
    std::scoped_lock const lock{mutex_};
    if (!asker_) return;
    asker_->answer = std::move(given);
    auto const executor = asker_->executor;
    // Under the lock, so that the asker cannot leave, and end its event loop, before post() has returned.
    asio::post(executor, [asker = std::move(asker_)] {
      asker->answered = true;
      asker->bell.cancel();
    });
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<Asker<T>> asker_;
};

}  // namespace net
