#include "loadtest/sim/twilio/callbacks.h"

#include "loadtest/sim/twilio/document.h"
#include "loadtest/sim/twilio/webhook.h"

namespace sim::twilio {

void Callbacks::post(std::string method, std::string url, net::Form params, std::string label) {
  if (url.empty()) return;
  waiting_.push_back({std::move(method), std::move(url), std::move(params), std::move(label)});
  bell_.cancel();
}

void Callbacks::close() {
  closed_ = true;
  bell_.cancel();
}

base::Async<> Callbacks::deliver() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  while (state.cancelled() == asio::cancellation_type::none) {
    if (waiting_.empty() && closed_) co_return;
    if (waiting_.empty() || is_waiting_for_a_pair()) {
      bell_.expires_at(Clock::time_point::max());
      (void)co_await bell_.async_wait(base::quietly);
      continue;
    }
    if (plan_.callbacks.reordered && waiting_.size() > 1) std::swap(waiting_[0], waiting_[1]);
    auto callback = std::move(waiting_.front());
    waiting_.pop_front();
    bool const second_of_pair = plan_.callbacks.reordered && !waiting_.empty();
    co_await deliver_one(std::move(callback));
    if (second_of_pair) {
      auto partner = std::move(waiting_.front());
      waiting_.pop_front();
      co_await deliver_one(std::move(partner));
    }
  }
}

base::Async<> Callbacks::deliver_one(Callback callback) {
  if (plan_.callbacks.late_by.count() > 0) {
    asio::steady_timer late{exchange_.executor, plan_.callbacks.late_by};
    (void)co_await late.async_wait(base::quietly);
  }
  int const times = plan_.callbacks.duplicated ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    auto answer = co_await request_webhook(exchange_, plan_, callback.method, callback.url, callback.params);
    if (!answer) {
      journal_.violate(answer.error().code, "status callback: " + answer.error().what);
      continue;
    }
    bool const acceptable = answer->body.empty() || body_kind(answer->content_type) == Body::twiml;
    if (!acceptable) journal_.violate(12300, "status callback answered with content type " + answer->content_type);
    journal_.note(EventKind::callback_delivered, callback.label, answer->ms);
  }
}

}  // namespace sim::twilio
