#include "gateway/net/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "gateway/base/fetch_ahead.h"

namespace net {
namespace {

constexpr int hot_lines = 6;  // of a listener: see FramedSocket

}  // namespace

Poller::Poller() : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (epoll_ < 0) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
}

Poller::~Poller() {
  ::close(epoll_);
}

bool Poller::add(int socket, Listener& listener) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &listener;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void Poller::remove(int socket, Listener& listener) {
  epoll_event unused{};
  (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, &unused);
  for (auto i = next_; i < found_; ++i)
    if (ready_[i].listener == &listener) ready_[i].listener = nullptr;
}

std::size_t Poller::poll(std::chrono::milliseconds timeout) {
  std::array<epoll_event, batch> events;
  int const found = ::epoll_wait(epoll_, events.data(), static_cast<int>(batch), static_cast<int>(timeout.count()));
  if (found <= 0) return 0;
  found_ = static_cast<std::size_t>(found);
  for (std::size_t i = 0; i < found_; ++i) ready_[i] = {events[i].events, static_cast<Listener*>(events[i].data.ptr)};
  base::fetch_ahead(ready_[0].listener, hot_lines);
  for (next_ = 0; next_ < found_;) {
    if (next_ + 1 < found_) base::fetch_ahead(ready_[next_ + 1].listener, hot_lines);
    auto const [what, listener] = ready_[next_++];
    if (listener != nullptr) listener->on_ready(what);
  }
  return static_cast<std::size_t>(found);
}

}  // namespace net
