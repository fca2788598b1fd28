#include "tests/flow/door.h"

#include <array>
#include <boost/asio/write.hpp>

namespace outside {

using namespace asio::experimental::awaitable_operators;
using Tcp = asio::ip::tcp;

namespace {

constexpr auto try_again_after = std::chrono::milliseconds{20};

}  // namespace

Door::Door(asio::any_io_executor executor, std::uint16_t inner)
    : acceptor_{executor, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}}, inner_{inner}, connections_{executor} {}

base::Async<> Door::serve() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    auto [error, outer] = co_await acceptor_.async_accept(base::quietly);
    if (error) co_return;
    connections_.spawn(carry(std::move(outer)));
  }
}

base::Async<> Door::close(base::TimeSource& time) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  co_await connections_.drain(time, std::chrono::milliseconds{0});
}

void Door::cut() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto* const socket : open_) {
    socket->set_option(Tcp::socket::linger{true, 0}, ignored);
    socket->close(ignored);
  }
}

base::Async<> Door::carry(Socket outer) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Socket inner{outer.get_executor()};
  auto const at = open_.insert(open_.end(), {&outer, &inner});
  co_await relay(outer, inner);
  open_.erase(at, std::next(at, 2));
}

base::Async<> Door::relay(Socket& outer, Socket& inner) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string early;
  bool reached = false;
  co_await (reach(inner, reached) || collect(outer, early));
  if (!reached) co_return;
  boost::system::error_code ignored;
  outer.set_option(Tcp::no_delay(true), ignored);
  inner.set_option(Tcp::no_delay(true), ignored);
  auto [error, written] = co_await asio::async_write(inner, asio::buffer(early), base::quietly);
  if (error) co_return;
  co_await (pump(outer, inner) || pump(inner, outer));
}

base::Async<> Door::reach(Socket& inner, bool& reached) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  Tcp::endpoint const there{asio::ip::address_v4::loopback(), inner_};
  asio::steady_timer pause{inner.get_executor()};
  while (stop.cancelled() == asio::cancellation_type::none) {
    if (!held_) {
      auto [error] = co_await inner.async_connect(there, base::quietly);
      reached = !error;
      if (reached) co_return;
      boost::system::error_code ignored;
      inner.close(ignored);
    }
    pause.expires_after(try_again_after);
    (void)co_await pause.async_wait(base::quietly);
  }
}

/// What the caller sends meanwhile; returns when it has gone.
base::Async<> Door::collect(Socket& outer, std::string& early) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  std::array<char, 4096> buffer;
  // A read that has just ended does not feel a cancellation; the next one would wait for ever.
  while (stop.cancelled() == asio::cancellation_type::none) {
    auto [error, size] = co_await outer.async_read_some(asio::buffer(buffer), base::quietly);
    if (error) co_return;
    early.append(buffer.data(), size);
  }
}

base::Async<> Door::pump(Socket& from, Socket& to) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const stop = co_await asio::this_coro::cancellation_state;
  std::array<char, 16384> buffer;
  while (stop.cancelled() == asio::cancellation_type::none) {
    auto [read_error, size] = co_await from.async_read_some(asio::buffer(buffer), base::quietly);
    if (read_error) co_return;
    auto [write_error, written] = co_await asio::async_write(to, asio::buffer(buffer.data(), size), base::quietly);
    if (write_error) co_return;
  }
}

}  // namespace outside
