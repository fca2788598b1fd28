#include "gateway/net/deadline.h"

#include <boost/asio/steady_timer.hpp>

namespace net {

using Clock = std::chrono::steady_clock;

// A socket that is between two waits when the time is up feels nothing and would then wait without a limit.
constexpr auto once_more_after = std::chrono::milliseconds{250};

struct Deadline::State {
  explicit State(asio::ip::tcp::socket& s) : socket{&s}, timer{s.get_executor()} {}
  asio::ip::tcp::socket* socket;
  asio::steady_timer timer;
  Clock::time_point at = Clock::time_point::max();
  bool running = false;
  bool passed = false;
};

Deadline::Deadline(asio::ip::tcp::socket& socket) : state_{std::make_shared<State>(socket)} {}

Deadline::~Deadline() {
  state_->socket = nullptr;
  state_->timer.cancel();
}

void Deadline::set(Clock::duration from_now) {
  state_->passed = false;
  state_->at = Clock::now() + from_now;
  if (!state_->running || state_->timer.expiry() > state_->at) run(state_);
}

void Deadline::clear() {
  state_->passed = false;
  state_->at = Clock::time_point::max();
}

bool Deadline::passed() const {
  return state_->passed;
}

void Deadline::run(std::shared_ptr<State> const& state) {
  state->running = true;
  state->timer.expires_at(state->at);
  state->timer.async_wait([state](boost::system::error_code error) {
    if (error || !state->socket) return;
    if (Clock::now() >= state->at) {
      state->passed = true;
      boost::system::error_code ignored;
      state->socket->cancel(ignored);
      state->at = Clock::now() + once_more_after;
    }
    state->running = state->at != Clock::time_point::max();
    if (state->running) run(state);
  });
}

}  // namespace net
