#include "loadtest/sim/twilio/valve.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

namespace sim::twilio {

using Tcp = asio::ip::tcp;

Valve::Valve(asio::any_io_executor executor) : acceptor_{executor}, near_{executor}, far_{executor}, gate_{executor} {}

std::uint16_t Valve::open() {
  Tcp::endpoint const loopback{asio::ip::address_v4::loopback(), 0};
  acceptor_.open(loopback.protocol());
  acceptor_.bind(loopback);
  acceptor_.listen(1);
  return acceptor_.local_endpoint().port();
}

void Valve::hold(bool shut) {
  shut_ = shut;
  gate_.cancel();
}

void Valve::close() {
  closed_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  near_.close(ignored);
  far_.close(ignored);
  gate_.cancel();
}

base::Async<> Valve::carry(std::string host, std::uint16_t port) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  auto [accept_error] = co_await acceptor_.async_accept(near_, base::quietly);
  if (accept_error) co_return close();
  Tcp::resolver resolver{acceptor_.get_executor()};
  auto [lookup_error, endpoints] = co_await resolver.async_resolve(host, std::to_string(port), base::quietly);
  if (lookup_error || closed_) co_return close();
  auto [connect_error, endpoint] = co_await asio::async_connect(far_, endpoints, base::quietly);
  if (connect_error || closed_) co_return close();
  boost::system::error_code ignored;
  near_.set_option(Tcp::no_delay(true), ignored);
  far_.set_option(Tcp::no_delay(true), ignored);
  // A small buffer makes the window close after kilobytes instead of megabytes.
  far_.set_option(asio::socket_base::receive_buffer_size(8 * 1024), ignored);
  co_await (pump(near_, far_, false) && pump(far_, near_, true));
}

base::Async<> Valve::pump(Tcp::socket& from, Tcp::socket& to, bool is_gated) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto const state = co_await asio::this_coro::cancellation_state;
  std::array<char, 4096> buffer;
  while (!closed_ && state.cancelled() == asio::cancellation_type::none) {
    if (is_gated && shut_) {
      gate_.expires_at(asio::steady_timer::time_point::max());
      (void)co_await gate_.async_wait(base::quietly);
      continue;
    }
    auto [read_error, size] = co_await from.async_read_some(asio::buffer(buffer), base::quietly);
    if (read_error) break;
    auto [write_error, written] = co_await asio::async_write(to, asio::buffer(buffer, size), base::quietly);
    if (write_error) break;
  }
  close();
}

}  // namespace sim::twilio
