#include "gateway/net/tls_hello.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace net {
namespace {

using Tcp = asio::ip::tcp;

// RFC 8446, 5.1: type, legacy version, length; the type of a handshake; a record holds 2^14 bytes.
constexpr std::size_t record_header = 5;
constexpr unsigned char handshake_record = 22;
constexpr std::size_t longest_record = 16384;

bool has_ended(Tcp::socket& socket) {
  pollfd asked{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) != 0;
}

/// True when so many bytes have come; they stay in the socket. The kernel wakes us when they are there or the peer has
/// ended.
base::Async<bool> await_bytes(Tcp::socket& socket, std::size_t count) {
  auto const stop = co_await asio::this_coro::cancellation_state;
  auto const wake_at = [&socket](int bytes) {
    (void)::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
  };
  wake_at(static_cast<int>(count));
  boost::system::error_code error;
  while (!error && socket.available(error) < count && !has_ended(socket)) {
    auto [waited] = co_await socket.async_wait(Tcp::socket::wait_read, base::quietly);
    error = waited;
    if (stop.cancelled() != asio::cancellation_type::none) error = asio::error::operation_aborted;
  }
  wake_at(1);
  boost::system::error_code gone;
  co_return !error && socket.available(gone) >= count;
}

}  // namespace

base::Async<Opening> await_opening(Tcp::socket& socket) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::array<unsigned char, record_header> header{};
  for (std::size_t const wanted : {std::size_t{1}, record_header}) {
    bool const here = co_await await_bytes(socket, wanted);
    if (!here) co_return Opening::none;
    (void)::recv(socket.native_handle(), header.data(), wanted, MSG_PEEK);
    if (header[0] >= 'A' && header[0] <= 'Z') co_return Opening::plain_http;
    if (header[0] != handshake_record) co_return Opening::other;
  }
  std::size_t const length = (std::size_t{header[3]} << 8) | header[4];
  if (header[1] != 3 || length == 0 || length > longest_record) co_return Opening::other;
  bool const whole = co_await await_bytes(socket, record_header + length);
  co_return whole ? Opening::hello : Opening::none;
}

}  // namespace net
