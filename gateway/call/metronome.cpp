#include "gateway/call/metronome.h"

#include <algorithm>

#include "media/frame.h"

namespace gateway {

void Metronome::join(Listener& listener) {
  listeners_.push_back(&listener);
  joined_.ring();
}

void Metronome::leave(Listener& listener) {
  std::ranges::replace(listeners_, &listener, nullptr);
}

base::Async<> Metronome::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  auto next = time_.now() + media::frame_duration;
  while (stop.cancelled() == asio::cancellation_type::none) {
    std::erase(listeners_, nullptr);
    if (listeners_.empty()) {
      bool const joined = co_await joined_.wait();
      if (!joined) co_return;
      next = time_.now() + media::frame_duration;
      continue;
    }
    auto waited = co_await time_.wait_until(next);
    if (!waited) co_return;
    auto const now = time_.now();
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (listeners_[i]) listeners_[i]->on_beat(now);
    }
    next += media::frame_duration;
    if (next <= now) next = now + media::frame_duration;
  }
}

}  // namespace gateway
